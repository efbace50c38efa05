import MartletStorage

let bookmarkMigrations = [
    Migration(
        "bookmarks/0001-bookmark",
        sqlite: """
            CREATE TABLE bookmark (
                -- A key of its own, because the search index refers to it: unnamed row ids may change when the file is compacted.
                row INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                owner_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                url TEXT NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
                normal_form TEXT NOT NULL CHECK (length(normal_form) BETWEEN 1 AND 6144),
                title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
                notes TEXT CHECK (length(notes) BETWEEN 1 AND 10000),
                category TEXT CHECK (length(category) BETWEEN 1 AND 100),
                tags TEXT NOT NULL CHECK (json_type(tags) = 'array'),
                saved_at INTEGER NOT NULL,
                updated_at INTEGER NOT NULL,
                UNIQUE (owner_id, normal_form)
            );
            CREATE INDEX bookmark_newest ON bookmark (owner_id, saved_at DESC, id DESC);
            CREATE INDEX bookmark_category ON bookmark (owner_id, category, saved_at DESC, id DESC);

            -- The words of every bookmark. The owner is a word of its own, so that a search looks at one owner's bookmarks only.
            CREATE VIEW bookmark_words AS
                SELECT row, replace(owner_id, '-', '') AS owner, title, coalesce(notes, '') AS notes, url, tags, coalesce(category, '') AS category
                FROM bookmark;
            CREATE VIRTUAL TABLE bookmark_search USING fts5 (
                owner, title, notes, url, tags, category,
                content = 'bookmark_words', content_rowid = 'row', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
            );
            INSERT INTO bookmark_search (bookmark_search, rank) VALUES ('rank', 'bm25(0.0, 10.0, 3.0, 1.0, 5.0, 2.0)');
            CREATE TRIGGER bookmark_search_insert AFTER INSERT ON bookmark BEGIN
                INSERT INTO bookmark_search (rowid, owner, title, notes, url, tags, category)
                VALUES (new.row, replace(new.owner_id, '-', ''), new.title, coalesce(new.notes, ''), new.url, new.tags, coalesce(new.category, ''));
            END;
            CREATE TRIGGER bookmark_search_delete AFTER DELETE ON bookmark BEGIN
                INSERT INTO bookmark_search (bookmark_search, rowid, owner, title, notes, url, tags, category)
                VALUES ('delete', old.row, replace(old.owner_id, '-', ''), old.title, coalesce(old.notes, ''), old.url, old.tags,
                    coalesce(old.category, ''));
            END;
            CREATE TRIGGER bookmark_search_update AFTER UPDATE ON bookmark BEGIN
                INSERT INTO bookmark_search (bookmark_search, rowid, owner, title, notes, url, tags, category)
                VALUES ('delete', old.row, replace(old.owner_id, '-', ''), old.title, coalesce(old.notes, ''), old.url, old.tags,
                    coalesce(old.category, ''));
                INSERT INTO bookmark_search (rowid, owner, title, notes, url, tags, category)
                VALUES (new.row, replace(new.owner_id, '-', ''), new.title, coalesce(new.notes, ''), new.url, new.tags, coalesce(new.category, ''));
            END;
            """,
        postgres: #"""
            -- A text without case and without the diacritics of Latin letters. Independent of the database's locale.
            CREATE FUNCTION bookmark_fold(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
            DECLARE
                folded text := lower(value COLLATE "C");
            BEGIN
                IF folded !~ '[^\u0001-\u007F]' THEN RETURN folded; END IF;
                folded := normalize(folded, NFD);
                \#(lowerCase)
                folded := normalize(regexp_replace(lower(folded COLLATE "C"), '([a-z])[\u0300-\u036F]+', '\1', 'g'), NFC);
                RETURN regexp_replace(folded, '[\u0300-\u036F]+', '', 'g');
            END
            $$;
            -- The words of a folded text. PostgreSQL's own parsers keep links and numbers whole, leave markup out, and heed the locale.
            CREATE FUNCTION bookmark_words(folded text, weight text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
            BEGIN
                RETURN (
                    SELECT coalesce(string_agg(left(word, \#(Folding.longestWord)) || ':' || least(place, 16383) || weight, ' '), '')::tsvector
                    FROM regexp_split_to_table(folded, '[\u0001-\u002F\u003A-\u0060\u007B-\u007F\#(Folding.separators)]+')
                        WITH ORDINALITY AS found (word, place)
                    WHERE word <> ''
                );
            END
            $$;
            CREATE TABLE bookmark (
                id uuid PRIMARY KEY,
                owner_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                url text NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
                normal_form text NOT NULL CHECK (length(normal_form) BETWEEN 1 AND 6144),
                title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
                notes text CHECK (length(notes) BETWEEN 1 AND 10000),
                category text CHECK (length(category) BETWEEN 1 AND 100),
                tags jsonb NOT NULL CHECK (jsonb_typeof(tags) = 'array'),
                saved_at timestamptz NOT NULL,
                updated_at timestamptz NOT NULL,
                -- Folded here, because a function that names another one fails where a dump is restored: no schema is searched then.
                words tsvector NOT NULL GENERATED ALWAYS AS (
                    bookmark_words(bookmark_fold(title), 'A')
                    || bookmark_words(bookmark_fold(regexp_replace(tags::text, '\\[nt]', ' ', 'g')), 'B')
                    || bookmark_words(bookmark_fold(coalesce(notes, '') || ' ' || coalesce(category, '')), 'C')
                    || bookmark_words(bookmark_fold(url), 'D')
                ) STORED
            );
            CREATE UNIQUE INDEX bookmark_normal_form ON bookmark (owner_id, md5(normal_form));
            CREATE INDEX bookmark_newest ON bookmark (owner_id, saved_at DESC, id DESC);
            CREATE INDEX bookmark_category ON bookmark (owner_id, category, saved_at DESC, id DESC);
            CREATE INDEX bookmark_words ON bookmark USING gin (words);
            """#)
]

/// The folding of letters, in PL/pgSQL: only for the alphabets that the text has.
private let lowerCase = Folding.letters.map { letters in
    "IF folded ~ '[\(letters.capitals)]' THEN folded := translate(folded, '\(letters.capitals)', '\(letters.smalls)'); END IF;"
}.joined(separator: "\n")
