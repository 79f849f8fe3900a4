"""Tables to and from files, with a preview and errors by row before anything is written.

An application describes a table as an `exchange.tables.Table`; `backoffice.exchange_pages.ExchangeAdmin` gives it
the pages.
"""
