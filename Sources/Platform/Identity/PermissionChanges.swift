import Foundation
import MartletCore
import MartletStorage

extension Denylist {
    /// Changes what accounts may do, and ends the access tokens that say otherwise: their refresh tokens get them others, which say what holds.
    ///
    /// The revocations are committed with the change. A token may just be made of what was read before that commit, here or elsewhere, and
    /// issued after the moment they name; so they are made anew after it. Tokens are dated before anything is read for them, which leaves
    /// none that was made of what does not hold. The time is proportional to the number of accounts.
    ///
    /// - Parameters:
    ///   - onlyGiving: Whether nothing is taken from anybody. Else tokens of the very millisecond end, too.
    ///   - body: Says whose permissions change. It may be run again, as transactions are.
    func changingPermissions<Result: Sendable>(
        onlyGiving: Bool = false,
        _ body: @Sendable (any Transaction) async throws -> (result: Result, of: Set<Identifier<Account>>)
    ) async throws -> Result {
        let (result, accounts) = try await database.transaction { transaction in
            let (result, accounts) = try await body(transaction)
            for account in accounts.sorted() { try await revocation(of: account, before: moment(onlyGiving)).store(in: transaction) }
            return (result, accounts)
        }
        for account in accounts { try await revoke(account: account, issuedBefore: moment(onlyGiving)) }
        return result
    }

    /// Changes or removes a key, and has every instance read it anew before it accepts it again: an instance that hears of it after the commit
    /// believes nothing that it began to read before.
    func changing<Result: Sendable>(
        _ key: Identifier<APIKey>, _ body: @Sendable (any Transaction) async throws -> Result
    ) async throws -> Result {
        let revocation = revocation(of: key)
        let result = try await database.transaction(isolation: .readCommitted) { transaction in
            try await revocation.store(in: transaction)
            return try await body(transaction)
        }
        apply(revocation)
        return result
    }

    private func moment(_ onlyGiving: Bool) -> Date {
        onlyGiving ? clock.now : clock.now.addingTimeInterval(0.001)
    }
}
