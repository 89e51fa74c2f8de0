"""What Streamlit runs for every visitor, anew at each change."""

from ecosystemiser.dashboard.shell import show

show()
