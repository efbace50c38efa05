import Foundation
import MartletHTTP
import Synchronization

/// What is accepted until a moment.
protocol Expiring {
    /// Until when it is accepted without another look, in seconds since 1970.
    var until: TimeInterval { get }
}

/// What was found out about a token.
struct VerifiedToken: Sendable, Expiring {
    let caller: Caller
    let identity: TokenIdentity
    let until: TimeInterval
}

/// What was found right a moment ago, so that a caller's next requests need not prove it again: tokens by themselves, keys by their hash.
///
/// Bounded: two generations of at most 4,096 each; one is forgotten when it has not been used for that many others.
final class Remembered<Value: Expiring & Sendable>: Sendable {
    fileprivate struct Generations {
        var young: [String: Value] = [:]
        var old: [String: Value] = [:]
        /// How often all were forgotten.
        var era = 0
    }
    private let generations = Mutex(Generations())

    /// To be asked before something is verified, and given when it is remembered.
    var era: Int { generations.withLock { $0.era } }

    func value(of name: String, at now: Date) -> Value? {
        generations.withLock { generations in
            if let known = generations.young[name] { return known.until > now.timeIntervalSince1970 ? known : nil }
            guard let known = generations.old[name], known.until > now.timeIntervalSince1970 else { return nil }
            generations.add(known, name)
            return known
        }
    }

    /// Remembers what was verified, unless all were forgotten since: the key may be gone with which it was.
    func remember(_ known: Value, with name: String, of era: Int) {
        generations.withLock { if $0.era == era { $0.add(known, name) } }
    }

    /// For when keys change.
    func forgetAll() {
        generations.withLock { $0 = Generations(era: $0.era + 1) }
    }
}

extension Remembered.Generations {
    fileprivate mutating func add(_ known: Value, _ name: String) {
        if young.count >= 4_096 { (old, young) = (young, [:]) }
        young[name] = known
    }
}
