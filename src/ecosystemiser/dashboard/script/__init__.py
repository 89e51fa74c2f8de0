"""The script that Streamlit runs, in a folder of its own: Streamlit puts it before all others on the search path."""
