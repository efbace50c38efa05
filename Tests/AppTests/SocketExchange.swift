import Foundation
import MartletContract
import MartletTestKit

/// An answer read off a socket, byte by byte.
struct SocketAnswer: Sendable {
    let status: Int
    let fields: [(name: String, value: String)]
    let body: [UInt8]

    subscript(_ name: String) -> String? {
        fields.first { $0.name == name.lowercased() }?.value
    }

    func problem() throws -> Problem { try WireJSON.decode(Problem.self, from: body) }

    init(_ bytes: [UInt8]) throws {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { throw NoAnswer(bytes: bytes.count) }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        guard let first = lines.first, let status = Int(first.split(separator: " ")[1]) else { throw NoAnswer(bytes: bytes.count) }
        self.status = status
        fields = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (parts[0].lowercased(), parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : "")
        }
        body = Array(bytes[end.upperBound...])
    }
}

struct NoAnswer: Error {
    let bytes: Int
}

extension TestApp {
    /// Sends a request line, fields (with `Host` and `Connection: close`) and a body, none of which is checked on the way.
    ///
    /// - Parameter port: Where another server listens, if not the app's own.
    func exchange(_ line: String, _ fields: [String] = [], body: [UInt8] = [], at port: Int? = nil) async throws -> SocketAnswer {
        let head = ["\(line) HTTP/1.1", "Host: 127.0.0.1", "Connection: close"] + fields
        return try await exchange(bytes: Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body, at: port)
    }

    /// Sends bytes over a connection of their own, and reads until the server closes it.
    func exchange(bytes: [UInt8], at port: Int? = nil) async throws -> SocketAnswer {
        let port = port ?? self.port
        return try SocketAnswer(await blocking { try Socket(port: port).exchange(bytes) })
    }
}

/// Runs blocking work on a thread that may block, so that the server under test keeps its own.
func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { waiter in
        Thread.detachNewThread { waiter.resume(with: Result { try work() }) }
    }
}

private final class Socket {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard result == 0 else { throw POSIXError(.ECONNREFUSED) }
    }

    deinit { close(descriptor) }

    /// A server that closes while it is still being written to has answered: what it said is read.
    func exchange(_ bytes: [UInt8]) -> [UInt8] {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { break }
            rest = rest.dropFirst(sent)
        }
        var received: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = recv(descriptor, &piece, piece.count, 0), count > 0 { received += piece[..<count] }
        return received
    }
}
