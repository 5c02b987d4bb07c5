"""Policy files: the example organisation lies in this folder, and so does the loader that judges any such folder."""
