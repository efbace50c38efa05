/// What is said first on a connection: `HELLO 3` with the credentials, or `AUTH` where the server is too old for that (RESP2); then the
/// database is chosen, and a `PING` tells whether the server serves.
struct Greeting {
    private enum Step { case hello, auth, select, ping }

    private let login: RedisLogin
    private var step = Step.hello

    init(_ login: RedisLogin) { self.login = login }

    var first: [RedisWord] {
        var words: [RedisWord] = ["HELLO", 3]
        if let password = login.password { words += ["AUTH", RedisWord(login.user ?? "default"), RedisWord(password)] }
        return words + ["SETNAME", RedisWord(login.name)]
    }

    /// What to say next, or `nil` when all is said.
    mutating func answered(_ value: RESPValue) throws(RedisOutage) -> [RedisWord]? {
        if case .error(let error) = value {
            guard step == .hello, Self.isOld(error) else { throw .refused(code: error.code) }
            return old()
        }
        return following()
    }

    private mutating func old() -> [RedisWord]? {
        guard let password = login.password else { return following() }
        step = .auth
        return ["AUTH"] + (login.user.map { [RedisWord($0)] } ?? []) + [RedisWord(password)]
    }

    private mutating func following() -> [RedisWord]? {
        switch step {
        case .hello where login.database != 0, .auth where login.database != 0:
            step = .select
            return ["SELECT", RedisWord(login.database)]
        case .hello, .auth, .select:
            step = .ping
            return ["PING"]
        case .ping: return nil
        }
    }

    private static func isOld(_ error: RedisError) -> Bool {
        error.code == "NOPROTO" || (error.code == "ERR" && error.message.lowercased().hasPrefix("unknown command"))
    }
}

/// Who the client is on every connection.
struct RedisLogin: Sendable, Hashable {
    var user: String?
    var password: String?
    var database = 0
    var name = "martlet"
}
