-- 0041_accounts: what people do with their account and their organization
-- squawk-ignore ban-drop-function -- its row gets two columns
drop function if exists app.setup_state();
