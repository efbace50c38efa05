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
        postgres: """
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
                words tsvector NOT NULL GENERATED ALWAYS AS (
                    setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', tags), 'B')
                    || setweight(to_tsvector('simple', coalesce(notes, '') || ' ' || coalesce(category, '')), 'C')
                    || setweight(to_tsvector('simple', url), 'D')
                ) STORED
            );
            CREATE UNIQUE INDEX bookmark_normal_form ON bookmark (owner_id, md5(normal_form));
            CREATE INDEX bookmark_newest ON bookmark (owner_id, saved_at DESC, id DESC);
            CREATE INDEX bookmark_category ON bookmark (owner_id, category, saved_at DESC, id DESC);
            CREATE INDEX bookmark_words ON bookmark USING gin (words);
            """)
]
