"""One module per page: its questions, and what its template shows."""
