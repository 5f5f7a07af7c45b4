-- 0058_unused_functions: drops functions that nothing has called for some versions
-- squawk-ignore ban-drop-function
drop function if exists app.last_30_days();
-- squawk-ignore ban-drop-function
drop function if exists app.month_list();
