"""Reading what banks deliver: files become plain lines, without a table or a customer."""
