-- books_store_own(fetch) → id of the fetch: app.books_store for the organization of the signed-in admin
--
-- Nothing is compared yet: a statement of a page has a time limit, and many days would take longer. app.reconcile does it.
create or replace function app.books_store_own(p_fetch jsonb) returns uuid
language plpgsql security definer
set search_path = ''
as $$
declare
    v_org uuid := app.require_admin();
begin
    if exists (select from public.organizations o where o.id = v_org and o.is_demo) then
        raise sqlstate 'PT409' using message = 'the demo organization fetches no books', detail = 'demo_organization';
    end if;
    return app.books_store(v_org, p_fetch || jsonb_build_object('fetched_by', auth.uid(), 'compared_later', true));
end $$;

comment on function app.books_store_own is 'Stores one fetch of OpenAI''s books for the admin''s organization.';
revoke execute on function app.books_store_own from public, anon, authenticated, service_role;
grant execute on function app.books_store_own to authenticated;
