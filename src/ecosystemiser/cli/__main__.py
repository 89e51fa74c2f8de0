"""`python -m ecosystemiser.cli`: the command line where its script is not on the search path."""

from ecosystemiser.cli.entry import main

if __name__ == "__main__":  # the process executor may import it
    main()
