import Foundation
import MartletHTTP
import Synchronization

/// What was found out about a token.
struct VerifiedToken: Sendable {
    let caller: Caller
    let identity: TokenIdentity
    /// Until when it is accepted without another look, in seconds since 1970.
    let until: TimeInterval
}

/// Tokens whose signature and claims were found right a moment ago, so that a caller's next requests need not prove it again.
///
/// Bounded: two generations of at most 4,096 each; a token is forgotten when it has not been used for that many others.
final class VerifiedTokens: Sendable {
    fileprivate static let generation = 4096
    fileprivate struct Generations {
        var young: [String: VerifiedToken] = [:]
        var old: [String: VerifiedToken] = [:]
        /// How often all were forgotten.
        var era = 0
    }
    private let generations = Mutex(Generations())

    /// To be asked before a token is verified, and given when it is remembered.
    var era: Int { generations.withLock { $0.era } }

    func token(_ token: String, at now: Date) -> VerifiedToken? {
        generations.withLock { generations in
            if let known = generations.young[token] { return known.until > now.timeIntervalSince1970 ? known : nil }
            guard let known = generations.old[token], known.until > now.timeIntervalSince1970 else { return nil }
            generations.add(known, token)
            return known
        }
    }

    /// Remembers what was verified, unless all were forgotten since: the key may be gone with which it was.
    func remember(_ known: VerifiedToken, with token: String, of era: Int) {
        generations.withLock { if $0.era == era { $0.add(known, token) } }
    }

    /// For when keys change.
    func forgetAll() {
        generations.withLock { $0 = Generations(era: $0.era + 1) }
    }
}

extension VerifiedTokens.Generations {
    fileprivate mutating func add(_ known: VerifiedToken, _ token: String) {
        if young.count >= VerifiedTokens.generation { (old, young) = (young, [:]) }
        young[token] = known
    }
}
