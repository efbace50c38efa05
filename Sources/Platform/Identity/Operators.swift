public import MartletStorage

/// Those whose tokens carry the operators' permissions, such as to see everybody's jobs.
public struct Operators: Sendable {
    private let database: any Database

    public init(_ database: any Database) {
        self.database = database
    }

    /// Makes the account of a login, an e-mail address or a username, an operator's. It holds from its next token on. Safe to repeat; throws
    /// `notFound` when there is no such account.
    public func appoint(_ login: String) async throws {
        try await AccountStore(database).setOperator(true, login: login)
    }

    /// Takes the permissions back; tokens that were issued before keep them until they expire. Safe to repeat.
    public func dismiss(_ login: String) async throws {
        try await AccountStore(database).setOperator(false, login: login)
    }
}
