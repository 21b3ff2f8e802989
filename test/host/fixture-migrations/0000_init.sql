CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
--> statement-breakpoint
CREATE INDEX notes_text ON notes (text);
