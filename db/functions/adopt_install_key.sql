-- adopt_install_key(shared): turns the books of the organizations that OPENAI_API_KEY serves from sandbox to openai, for good
--
-- p_shared: the key serves every organization; otherwise the first one only. Demo organizations always keep the sandbox.
create or replace function app.adopt_install_key(p_shared boolean) returns void
language sql security definer
set search_path = ''
as $$
    update public.organizations o set books = 'openai'
    where o.books = 'sandbox' and not o.is_demo
      and (p_shared or exists (select from private.install i where i.first_org_id = o.id))
$$;

comment on function app.adopt_install_key is
    'Turns the books of every organization that the installation''s own OpenAI key serves from sandbox to openai.';
revoke execute on function app.adopt_install_key from public, anon, authenticated, service_role;
grant execute on function app.adopt_install_key to spendai_proxy;
