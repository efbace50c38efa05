public import MartletContract
public import MartletCore
public import MartletStorage

/// One kind of thing that is kept about people: how they get it, and how it goes with their account.
///
/// ```swift
/// PersonalData("bookmarks", in: ["bookmark"]) { owner, last in
///     try await store.page(after: last, limit: 500, owner: owner)
/// }
/// ```
public struct PersonalData: Sendable {
    /// What it is called in an export; a name of JSON in snake_case.
    public let name: String
    /// The tables that it is in.
    public let tables: [String]
    private let read: @Sendable (Identifier<Account>) -> @Sendable () async throws -> [[UInt8]]?
    private let remove: @Sendable (Identifier<Account>, any Transaction) async throws -> Void

    /// - Parameters:
    ///   - page: The next of the owner's, after the last one that was read: some hundred at most, none after the last of all. Secrets are
    ///     left out.
    ///   - remove: Removes the owner's, where no foreign key does so when the account's row goes. Safe to repeat.
    public init<Row: Encodable & Sendable>(
        _ name: String, in tables: [String],
        page: @escaping @Sendable (_ owner: Identifier<Account>, _ last: Row?) async throws -> [Row],
        remove: @escaping @Sendable (_ owner: Identifier<Account>, _ transaction: any Transaction) async throws -> Void = { _, _ in }
    ) {
        (self.name, self.tables, self.remove) = (name, tables, remove)
        read = { owner in
            let pages = Pages<Row> { try await page(owner, $0) }
            return { try await pages.next() }
        }
    }

    /// What is kept about an account: each call of the result yields the next elements, encoded; `nil` after the last.
    public func pages(of owner: Identifier<Account>) -> @Sendable () async throws -> [[UInt8]]? {
        read(owner)
    }

    /// Removes what no foreign key removes when the account's row goes. Safe to repeat.
    public func remove(of owner: Identifier<Account>, in transaction: any Transaction) async throws {
        try await remove(owner, transaction)
    }
}

/// Goes from page to page.
private actor Pages<Row: Encodable & Sendable> {
    private let page: @Sendable (Row?) async throws -> [Row]
    private var last: Row?

    init(_ page: @escaping @Sendable (Row?) async throws -> [Row]) { self.page = page }

    func next() async throws -> [[UInt8]]? {
        let rows = try await page(last)
        guard let end = rows.last else { return nil }
        last = end
        return try rows.map { try WireJSON.encode($0) }
    }
}
