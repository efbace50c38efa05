import Testing

@testable import MartletRedis

@Suite struct Greetings {
    private static let ignorance: [RESPValue] = [
        .error(RedisError(text: "ERR unknown command 'HELLO', with args beginning with: '3'")),
        .error(RedisError(text: "NOPROTO unsupported protocol version")),
    ]

    @Test func namePasswordAndDatabase() throws {
        var greeting = Greeting(RedisLogin(user: "me", password: "secret", database: 3, name: "x"))
        #expect(greeting.first == ["HELLO", 3, "AUTH", "me", "secret", "SETNAME", "x"])
        #expect(try greeting.answered(.map([:])) == ["SELECT", 3])
        #expect(try greeting.answered(.text("OK")) == ["PING"])
        #expect(try greeting.answered(.text("PONG")) == nil)
    }

    @Test func aPasswordAloneIsThatOfTheDefaultUser() {
        #expect(Greeting(RedisLogin(password: "secret")).first == ["HELLO", 3, "AUTH", "default", "secret", "SETNAME", "martlet"])
    }

    @Test(arguments: ignorance) func anOldServerIsGreetedInItsOwnWay(refusal: RESPValue) throws {
        var greeting = Greeting(RedisLogin(password: "secret", database: 1))
        #expect(try greeting.answered(refusal) == ["AUTH", "secret"])
        #expect(try greeting.answered(.text("OK")) == ["SELECT", 1])
        var open = Greeting(RedisLogin())
        #expect(try open.answered(refusal) == ["PING"])
    }

    @Test(arguments: ["WRONGPASS invalid", "NOAUTH HELLO must be", "ERR max number of clients reached", "LOADING Redis is loading"])
    func aRefusalEndsIt(text: String) {
        var greeting = Greeting(RedisLogin(password: "secret"))
        let code = RedisError(text: text).code
        #expect(throws: RedisOutage.refused(code: code)) { try greeting.answered(.error(RedisError(text: text))) }
    }
}
