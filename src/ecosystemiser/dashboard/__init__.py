"""The results explorer: pages in a browser that show the log, and start and stop work.

    __main__.py       the server, as a process of its own (`ecosystemiser explore` starts it)
    script/app.py     what Streamlit runs for every visitor; it calls shell.py
    shell.py          the list of pages, and what all of them share: theme, guard, footer
    addresses.py      the one way to read and write the address, and to link from page to page
    log.py            the one way to the log: read-only; what writes goes through services, and may be switched off
    pages/            one file a page, each with one function `show`

Pages ask services and show what they say; they hold no SQL, and solve nothing.
"""
