"""OpenAI's own books: what its Costs and Usage API, or an export of its dashboard, says was spent, fetched and stored.

fetching.py makes one whole fetch; administration.py asks OpenAI, costs.py, counted.py and accounts.py read its answers;
dashboard_csv.py reads the export. Comparing them with the ledger is SQL (app.reconcile_day), for which compared.py
asks; close.py and focus.py are about whole months. Imports secrets, upstream, of gateway what recognizes OpenAI by its
base URL, and the modules directly in webapp/; api, pages and commands import it.
"""
