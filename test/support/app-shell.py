"""Shows a folder under a scheme of its own, as app shells do: with WebKitGTK's URI schemes, of which Tauri is made on Linux.

app-shell.py <scheme> <folder> <flags> <script>: opens <scheme>://localhost/, runs the script, an asynchronous function's
body, when the page has loaded, and prints what it returns. Flags, with commas: secure, cors, local.
"""
import ctypes
import os
import sys
from ctypes import CFUNCTYPE, byref, c_char_p, c_int, c_long, c_size_t, c_void_p

gtk, webkit, jsc, gio, gobject, glib = (
    ctypes.CDLL(name)
    for name in (
        "libgtk-3.so.0",
        "libwebkit2gtk-4.1.so.0",
        "libjavascriptcoregtk-4.1.so.0",
        "libgio-2.0.so.0",
        "libgobject-2.0.so.0",
        "libglib-2.0.so.0",
    )
)


def call(library, name, result, *arguments):
    """A function of a library, called with arguments and their types."""
    function = getattr(library, name)
    function.restype = result
    function.argtypes = [kind for kind, _ in arguments]
    return function(*(value for _, value in arguments))


def pointer(value):
    return (c_void_p, value)


def text(value):
    return (c_char_p, value.encode())


NONE = pointer(None)
scheme, folder, flags, script = sys.argv[1:]
types = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".txt": "text/plain"}
registered = {"secure": "as_secure", "cors": "as_cors_enabled", "local": "as_local"}

if not call(gtk, "gtk_init_check", c_int, NONE, NONE):
    sys.exit("there is no display")
context = call(webkit, "webkit_web_context_new_ephemeral", c_void_p)
manager = call(
    webkit, "webkit_web_context_get_security_manager", c_void_p, pointer(context)
)
for flag in filter(None, flags.split(",")):
    name = "webkit_security_manager_register_uri_scheme_" + registered[flag]
    call(webkit, name, None, pointer(manager), text(scheme))

kept = []


@CFUNCTYPE(None, c_void_p, c_void_p)
def serve(request, _):
    path = call(
        webkit, "webkit_uri_scheme_request_get_path", c_char_p, pointer(request)
    ).decode()
    try:
        with open(os.path.join(folder, path.lstrip("/") or "index.html"), "rb") as file:
            body = file.read()
    except OSError:
        quark = call(glib, "g_quark_from_string", c_int, text("app-shell"))
        error = call(
            glib, "g_error_new_literal", c_void_p, (c_int, quark), (c_int, 1), text("no such file")
        )
        call(
            webkit,
            "webkit_uri_scheme_request_finish_error",
            None,
            pointer(request),
            pointer(error),
        )
        return
    kept.append(body)
    stream = call(
        gio,
        "g_memory_input_stream_new_from_data",
        c_void_p,
        (c_char_p, body),
        (c_long, len(body)),
        NONE,
    )
    kind = types.get(os.path.splitext(path)[1] or ".html", "application/octet-stream")
    call(
        webkit,
        "webkit_uri_scheme_request_finish",
        None,
        pointer(request),
        pointer(stream),
        (c_long, len(body)),
        text(kind),
    )


call(
    webkit,
    "webkit_web_context_register_uri_scheme",
    None,
    pointer(context),
    text(scheme),
    (type(serve), serve),
    NONE,
    NONE,
)
view = call(webkit, "webkit_web_view_new_with_context", c_void_p, pointer(context))
window = call(gtk, "gtk_window_new", c_void_p, (c_int, 0))
call(gtk, "gtk_container_add", None, pointer(window), pointer(view))
call(gtk, "gtk_widget_show_all", None, pointer(window))


@CFUNCTYPE(None, c_void_p, c_void_p, c_void_p)
def finished(_, result, __):
    error = c_void_p()
    name = "webkit_web_view_call_async_javascript_function_finish"
    value = call(webkit, name, c_void_p, pointer(view), pointer(result), pointer(byref(error)))
    if not value:
        os._exit(1)
    print(call(jsc, "jsc_value_to_string", c_char_p, pointer(value)).decode(), flush=True)
    call(gtk, "gtk_main_quit", None)


@CFUNCTYPE(None, c_void_p, c_int, c_void_p)
def changed(_, event, __):
    if event != 3:  # WEBKIT_LOAD_FINISHED
        return
    call(
        webkit,
        "webkit_web_view_call_async_javascript_function",
        None,
        pointer(view),
        text(script),
        (c_long, -1),
        NONE,
        NONE,
        NONE,
        NONE,
        (type(finished), finished),
        NONE,
    )


call(
    gobject,
    "g_signal_connect_data",
    c_size_t,
    pointer(view),
    text("load-changed"),
    (type(changed), changed),
    NONE,
    NONE,
    (c_int, 0),
)
call(webkit, "webkit_web_view_load_uri", None, pointer(view), text(f"{scheme}://localhost/"))
call(gtk, "gtk_main", None)
