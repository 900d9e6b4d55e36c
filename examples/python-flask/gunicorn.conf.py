"""`gunicorn 'app:create_app()'` reads this; GUNICORN_CMD_ARGS is over it."""

bind = "0.0.0.0:5000"
threads = 8
# No access log: the address of /callback holds a code.
