/// What the server answers (https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md): RESP3, of which RESP2 is a part.
///
/// Simple, bulk and verbatim strings are all `bytes`, without the mark of a verbatim string's format; so are big numbers, as their decimal
/// digits. Sets are arrays. Of keys that a map repeats the last one counts. Attributes are left out.
public enum RESPValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case bytes([UInt8])
    case array([RESPValue])
    case map([RESPValue: RESPValue])
    /// An error inside of an array; as a whole answer it is thrown.
    case error(RedisError)
}

/// What the server refuses, in its words.
///
/// Printing it shows the code alone, since the message may quote keys and values.
public struct RedisError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The first word: `ERR`, `WRONGTYPE`, `NOSCRIPT`.
    public let code: String
    /// What comes after it.
    public let message: String

    public init(code: String, message: String) {
        (self.code, self.message) = (code, message)
    }

    init(text: String) {
        let word = text.prefix { $0 != " " }
        self.init(code: String(word), message: String(text.dropFirst(word.count + 1)))
    }

    public var description: String { "Redis answered with the error \(code)" }
}

extension RedisError {
    /// Whether it tells of the server rather than of the command: it starts, is short of memory or disk, or no longer the one to write to.
    var isOutage: Bool { Self.outages.contains(code) || endsConnection }

    /// Whether another connection may lead to a server that serves, or be let in: after a failover, or when the password was set.
    var endsConnection: Bool { code == "READONLY" || code == "NOAUTH" }

    private static let outages: Set<String> = [
        "LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "OOM", "MISCONF", "NOREPLICAS",
    ]
}
