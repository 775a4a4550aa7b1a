"""Lost acknowledgements by the thousand, on virtual time: client, resolver, engine, sandbox."""
