"""What `streamlit run` serves: the pages, behind our own front door."""

import threading
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from ecosystemiser.dashboard.addresses import load_pages
from ecosystemiser.dashboard.front_door import FrontDoor

threading.Thread(target=load_pages, name="pages", daemon=True).start()  # while the first browser opens
app = st.App(Path(__file__).with_name("app.py"), middleware=[Middleware(FrontDoor)])
