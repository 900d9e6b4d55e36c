"""`gunicorn 'app:create_app()'` reads this; GUNICORN_CMD_ARGS is over it."""

# This machine only; the container says otherwise.
bind = "127.0.0.1:5000"
threads = 8
# It would be a file in the home folder.
control_socket_disable = True
# No access log: the address of /callback holds a code.
