-- 0055_terms_question_of_values: app.terms_question_of takes a call's values, so that app.price_usage, which has no row, asks it too
--
-- functions/terms_question_of.sql makes it again.
-- squawk-ignore ban-drop-function
drop function if exists app.terms_question_of(app.settlement);
