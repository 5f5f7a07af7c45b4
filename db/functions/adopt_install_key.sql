-- adopt_install_key(shared): the install has an OpenAI key; organizations it serves keep real books from now on
create or replace function app.adopt_install_key(p_shared boolean) returns void
language sql security definer
set search_path = ''
as $$
    update public.organizations o set books = 'openai'
    where o.books = 'sandbox' and not o.is_demo
      and (p_shared or exists (select from private.install i where i.first_org_id = o.id))
$$;

comment on function app.adopt_install_key is 'Turns the books of every organization that the install''s OpenAI key serves to real money.';
revoke execute on function app.adopt_install_key from public, anon, authenticated, service_role;
grant execute on function app.adopt_install_key to spendai_proxy;
