"""What we override in gunicorn: its gevent worker, how requests are read and answers written, who accepts connections.

Named in gunicorn.conf.py; imports nothing of webapp. Every override says in its docstring what it gains.
"""
