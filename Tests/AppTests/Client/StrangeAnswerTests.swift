import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletIdentityAPI
import NIOCore
import NIOPosix
import Testing

@Suite struct StrangeAnswers {
    static let answers = [
        StrangeAnswer("no JSON", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\nCANARY!"),
        StrangeAnswer("nothing", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n"),
        StrangeAnswer(
            "JSON that breaks off", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"a\": \"CAN"),
        StrangeAnswer(
            "JSON of another shape", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"id\": \"CANARY!\"}"),
        StrangeAnswer(
            "JSON that is too deep",
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n" + String(repeating: "[", count: 200_000)),
        StrangeAnswer("a success of another kind", "HTTP/1.1 204 No Content\r\n\r\n"),
        StrangeAnswer("a page", "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 7\r\n\r\nCANARY!"),
        StrangeAnswer("an error without words", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
        StrangeAnswer(
            "a Problem that is no JSON",
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/problem+json\r\nContent-Length: 7\r\n\r\nCANARY!"),
        StrangeAnswer(
            "a Problem that lacks its members",
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/problem+json\r\nContent-Length: 21\r\n\r\n{\"detail\": \"CANARY!\" }"),
        StrangeAnswer("another protocol", "SSH-2.0-OpenSSH_9.2 CANARY!\r\n"),
    ]

    @Test(arguments: answers)
    func anAnswerThatNoMartletGivesIsSaidToBeUnexpected(_ answer: StrangeAnswer) async throws {
        try await StrangeServer.with(answer.bytes) { server in
            let error = await #expect(throws: UnexpectedAnswer.self) { try await server.client.send(AccountsAPI.me) }
            #expect(error?.description.contains("CANARY") == false, "What a stranger sent does not belong into logs.")
        }
    }

    @Test func aDocumentIsHandedOverWhileItIsStillBeingSent() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
        let rest = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: String.self)
        try await StrangeServer.with(head + "5\r\nfirst\r\n", then: rest.futureResult) { server in
            let document = try await server.client.send(BookmarksAPI.export)
            var text = ""
            for try await piece in document.pieces {
                if text.isEmpty { rest.succeed("4\r\nlast\r\n0\r\n\r\n") }
                text += String(decoding: piece, as: UTF8.self)
            }
            #expect(text == "firstlast")
        }
    }

    @Test func aDocumentThatIsCutOffThrows() async throws {
        let cut = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        try await StrangeServer.with(cut) { server in
            let document = try await server.client.send(BookmarksAPI.export)
            await #expect(throws: (any Error).self) { try await document.collect(upTo: 1000) }
        }
    }
}

struct StrangeAnswer: Sendable, CustomStringConvertible {
    let description: String
    let bytes: String

    init(_ description: String, _ bytes: String) {
        (self.description, self.bytes) = (description, bytes)
    }
}
