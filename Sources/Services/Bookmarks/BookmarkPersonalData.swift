import MartletBookmarksAPI
import MartletCore
public import MartletService

extension BookmarksService {
    /// Bookmarks, newest first. They go with the account's row.
    public var personalData: [PersonalData] {
        [
            PersonalData("bookmarks", in: ["bookmark"]) { [store] (owner, last: Bookmark?) in
                try await store.all(after: last, limit: 500, owner: owner)
            }
        ]
    }
}
