import MartletCore

/// What callers make of the server's answers.
enum Answers {
    /// The one answer, unless it is an error.
    static func only(_ answers: [RESPValue]) throws -> RESPValue {
        guard let answer = answers.first else { throw RedisOutage.nonsense(.surplus).failure }
        return try result(answer).get()
    }

    /// Throws when one of them tells that the server is in no state to serve.
    static func results(_ answers: [RESPValue]) throws -> [Result<RESPValue, RedisError>] { try answers.map(result) }

    private static func result(_ answer: RESPValue) throws -> Result<RESPValue, RedisError> {
        guard case .error(let error) = answer else { return .success(answer) }
        guard !error.isOutage else { throw RedisOutage.failure(cause: error) }
        return .failure(error)
    }
}

extension RedisScript {
    /// Runs it by its digest, and sends its text when the server does not know it.
    func run(
        keys: [String], _ arguments: [RedisWord], _ send: ([RedisWord]) async throws -> RESPValue
    ) async throws -> RESPValue {
        do {
            return try await send(command(keys: keys, arguments, known: true))
        } catch let error as RedisError where error.code == "NOSCRIPT" {
            return try await send(command(keys: keys, arguments, known: false))
        }
    }
}
