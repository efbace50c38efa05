import AsyncHTTPClient
import MartletTestKit
import NIOCore
import NIOHTTP1

/// A stream of events as it comes over the wire.
struct OpenStream {
    let response: HTTPClientResponse
    private var pieces: HTTPClientResponse.Body.AsyncIterator
    private(set) var text = ""

    init(_ response: HTTPClientResponse) {
        self.response = response
        pieces = response.body.makeAsyncIterator()
    }

    var status: Int { Int(response.status.code) }
    subscript(_ name: String) -> String? { response.headers.first(name: name) }

    /// Reads until the text ends like this; returns `false` when the stream ends first.
    mutating func reads(upTo end: String) async throws -> Bool {
        while !text.hasSuffix(end) {
            guard let piece = try await pieces.next() else { return false }
            text += String(buffer: piece)
        }
        return true
    }

    /// Reads to the end of the stream, which must be a proper one.
    mutating func readToEnd() async throws -> String {
        while let piece = try await pieces.next() { text += String(buffer: piece) }
        return text
    }
}

extension TestApp {
    /// Opens a stream; returns when its head is there.
    func open(_ path: String, token: String, at base: String? = nil) async throws -> OpenStream {
        var request = HTTPClientRequest(url: (base ?? baseURL) + path)
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        return OpenStream(try await HTTPClient.shared.execute(request, timeout: .seconds(60)))
    }
}
