"""OpenAI's own books: what its Costs and Usage API, or an export of its dashboard, says was spent, fetched and stored.

fetching.py makes one whole fetch; administration.py asks OpenAI, costs.py, counted.py and accounts.py read its answers.
Comparing them with the ledger is SQL (app.reconcile_day). Imports secrets, upstream and the modules directly in
webapp/; api, pages and commands import it.
"""
