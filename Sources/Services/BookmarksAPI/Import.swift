/// What became of an import.
public struct ImportReport: Codable, Sendable, Equatable {
    /// Entries in the file.
    public var total = 0
    public var added = 0
    /// Not stored, for the reasons counted in ``skipReasons``.
    public var skipped = 0
    /// Already stored, and completed by what the file knew beyond it.
    public var updated = 0
    /// Entries that had something wrong: those in ``errorDetails``, and more.
    public var errors = 0
    public var skipReasons = SkipReasons()
    /// The first ten entries that had something wrong.
    public var errorDetails: [ImportError] = []

    public init(total: Int = 0) { self.total = total }
}

public struct SkipReasons: Codable, Sendable, Equatable {
    public var duplicate = 0
    public var emptyUrl = 0
    public var invalidScheme = 0
    public var invalidFormat = 0
    public var tooLong = 0

    public init() {}
}

public struct ImportError: Codable, Sendable, Equatable {
    /// The entry's place in the file, from 1.
    public var entry: Int
    public var reason: String
    /// The first 200 characters of its link.
    public var url: String

    public init(entry: Int, reason: String, url: String) {
        self.entry = entry
        self.reason = reason
        self.url = url
    }
}
