import Dispatch
import Foundation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A blocking TCP socket, kept off the cooperative threads so that the server under test can use them.
final class RawClient: Sendable {
    struct Failed: Error {
        let call: String
        let code: Int32
    }

    private let descriptor: Int32

    init(port: Int, receiveBuffer: Int32? = nil) async throws {
        descriptor = try await offPool { try Self.connect(port: port, receiveBuffer: receiveBuffer) }
    }

    deinit { close(descriptor) }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// Sends everything; a peer that closed in between is no failure of the test.
    func send(_ bytes: [UInt8]) async throws {
        await offPool { [descriptor] in
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard count > 0 else { return }
                sent += count
            }
        }
    }

    /// Half-closes: no more will be sent.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Everything until the peer closes. A peer that does not within the time is marked in the text.
    func readToEnd(within seconds: Double = 60) async -> String {
        await read(within: seconds, until: nil) ?? "still open"
    }

    /// Reads until the text so far satisfies `isEnough` or the peer closes; `nil` when the time is over.
    func read(within seconds: Double = 60, until isEnough: (@Sendable (String) -> Bool)?) async -> String? {
        await offPool { [descriptor] in
            var received: [UInt8] = []
            let end = DispatchTime.now() + seconds
            while isEnough.map({ !$0(String(decoding: received, as: UTF8.self)) }) ?? true {
                guard Self.waitReadable(descriptor, until: end) else { return nil }
                var bytes = [UInt8](repeating: 0, count: 65_536)
                let count = recv(descriptor, &bytes, bytes.count, 0)
                guard count > 0 else { break }
                received += bytes[..<count]
            }
            return String(decoding: received, as: UTF8.self)
        }
    }

    /// One response with a Content-Length.
    func readAnswer() async -> Answer? {
        let text = await read { Answer.parse($0).first?.isWhole == true }
        return text.flatMap { Answer.parse($0).first }
    }

    private static func waitReadable(_ descriptor: Int32, until end: DispatchTime) -> Bool {
        let left = Int64(end.uptimeNanoseconds) - Int64(DispatchTime.now().uptimeNanoseconds)
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return left > 0 && poll(&poller, 1, Int32(left / 1_000_000) + 1) > 0
    }

    private static func connect(port: Int, receiveBuffer: Int32?) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failed(call: "socket", code: errno) }
        if var size = receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size)) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failed(call: "connect", code: errno) }
        return descriptor
    }
}

/// Runs blocking work on a thread that may block.
func offPool<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}

func offPool<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: work()) }
    }
}

/// A response as it came over the socket.
struct Answer: Sendable {
    var status: Int
    var fields: [String: String]
    var body: String
    var isWhole: Bool

    var code: String? { body.split(separator: "\"").dropFirst(2).first(where: { $0 != ":" }).map(String.init) }
    var closes: Bool { fields["connection"] == "close" }

    /// Every response in the text, one after the other.
    static func parse(_ text: String) -> [Answer] {
        var rest = Array(text.utf8)[...]
        var answers: [Answer] = []
        while let answer = take(&rest) { answers.append(answer) }
        return answers
    }

    private static func take(_ rest: inout ArraySlice<UInt8>) -> Answer? {
        guard let end = endOfHead(rest) else { return nil }
        let lines = String(decoding: rest[rest.startIndex..<end], as: UTF8.self).split(separator: "\r\n")
        guard let first = lines.first, first.hasPrefix("HTTP/1.1 "), let status = Int(first.dropFirst(9).prefix(3)) else { return nil }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        rest = rest[(end + 4)...]
        let length = fields["content-length"].flatMap(Int.init) ?? (status < 200 ? 0 : rest.count)
        let body = rest.prefix(length)
        rest = rest.dropFirst(length)
        return Answer(status: status, fields: fields, body: String(decoding: body, as: UTF8.self), isWhole: body.count == length)
    }

    private static func endOfHead(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (bytes.startIndex...(bytes.endIndex - 4)).first { bytes[$0] == 13 && bytes[$0..<$0 + 4].elementsEqual("\r\n\r\n".utf8) }
    }
}
