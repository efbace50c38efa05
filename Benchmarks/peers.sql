-- The peers' users and bookmarks in our schema, under the same identifiers. Reads the CSV files of the working folder.
BEGIN;
CREATE TEMPORARY TABLE peer_user (id uuid, email text, name text, created_at timestamptz) ON COMMIT DROP;
CREATE TEMPORARY TABLE peer_bookmark (id uuid, user_id uuid, url text, title text, notes text, tags jsonb, created_at timestamptz) ON COMMIT DROP;
\copy peer_user FROM 'users.csv' WITH (FORMAT csv, HEADER)
\copy peer_bookmark FROM 'bookmarks.csv' WITH (FORMAT csv, HEADER)

-- Nobody logs in: the tokens are minted.
INSERT INTO account (id, email, username, name, password_hash, created_at)
SELECT id, email, split_part(email, '@', 1), name, '!', created_at FROM peer_user;

-- Their only parameter is `ref`, which normal forms leave out.
INSERT INTO bookmark (id, owner_id, url, normal_form, title, notes, tags, saved_at, updated_at)
SELECT id, user_id, url, regexp_replace(url, '\?ref=[0-9]+$', ''), title, notes, tags, created_at, created_at FROM peer_bookmark;
COMMIT;
VACUUM (ANALYZE) account, bookmark;
