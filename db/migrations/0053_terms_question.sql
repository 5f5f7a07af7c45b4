-- 0053_terms_question: what decides the price terms of a call, as a type that functions pass to each other
create type app.terms_question as (
    org_id uuid, endpoint text, model text, model_requested text, size text, others text[], service_tier text, batch boolean,
    with_extras boolean, input_limit integer
);
comment on type app.terms_question is 'What decides the price terms of a call, apart from the moment; see app.terms_question_of.';

-- squawk-ignore ban-drop-function
drop function if exists app.known_terms(uuid, text, text, text, text, text[], text, boolean, integer, timestamptz);
delete from private.known_terms;  -- their keys had another form
comment on column private.known_terms.key is 'The app.terms_question as text.';
