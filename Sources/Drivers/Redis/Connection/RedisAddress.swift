import Foundation

/// A URL of a Redis server that cannot be read. It does not show the URL, which may hold a password.
public struct InvalidRedisURL: Error, Hashable, CustomStringConvertible {
    /// What to do about it.
    public let repair: String

    public var description: String { "The URL of the Redis server cannot be read. \(repair)" }
}

/// What a URL says: `redis://user:password@host:6379/0`, or `rediss://` for TLS (https://www.iana.org/assignments/uri-schemes/prov/redis).
struct RedisAddress: Sendable {
    let host: String
    let port: Int
    let isEncrypted: Bool
    var login = RedisLogin()
    /// The certificates that are trusted instead of the system's.
    var authorityFile: String?

    init(_ url: String) throws(InvalidRedisURL) {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(), scheme == "redis" || scheme == "rediss",
            let name = parts.host, !name.isEmpty, parts.fragment == nil
        else { throw InvalidRedisURL(repair: "Give redis://user:password@host:6379/0, or rediss:// for TLS.") }
        host = name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : name
        port = parts.port ?? 6379
        isEncrypted = scheme == "rediss"
        guard (1...65_535).contains(port) else { throw InvalidRedisURL(repair: "Give a port from 1 to 65535.") }
        login.user = parts.user.flatMap { $0.isEmpty ? nil : $0 }
        login.password = parts.password.flatMap { $0.isEmpty ? nil : $0 }
        guard login.user == nil || login.password != nil else { throw InvalidRedisURL(repair: "Give a password with the user.") }
        login.database = try Self.database(parts.path)
        try read(parts.queryItems ?? [])
    }

    private static func database(_ path: String) throws(InvalidRedisURL) -> Int {
        let text = path.drop { $0 == "/" }
        if text.isEmpty { return 0 }
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = Int(text), number <= 65_535
        else {
            throw InvalidRedisURL(repair: "Give the number of the database after the host, as in /0.")
        }
        return number
    }

    private mutating func read(_ parameters: [URLQueryItem]) throws(InvalidRedisURL) {
        for parameter in parameters {
            guard parameter.name == "ca_file", isEncrypted, let file = parameter.value, !file.isEmpty else {
                throw InvalidRedisURL(repair: "Give no parameter but ca_file, and that only with rediss://.")
            }
            authorityFile = file
        }
    }
}
