"""Policy files: the example organisation, and the loader for any such folder."""
