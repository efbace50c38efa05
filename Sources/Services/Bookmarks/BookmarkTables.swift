public import MartletStorage

extension BookmarksService {
    /// What it stores, for copies of the data. A migration that adds a column to a table adds it here.
    public static var tables: [StoredTable] {
        [
            StoredTable(
                "bookmark", key: ["id"],
                [
                    .uuid("id"), .uuid("owner_id"), .text("url"), .text("normal_form"), .text("title"), .text("notes"), .text("category"),
                    .json("tags"), .timestamp("saved_at"), .timestamp("updated_at"),
                ],
                derived: [.sqlite: ["row"], .postgres: ["words"]])
        ]
    }
}
