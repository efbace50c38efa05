#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// Where `martlet reload` and `martlet status` reach the supervisor: a socket in the file system that only its owner can open.
///
/// A client sends one word and a line break. It hears lines that begin with `+` while something goes on, and in the end one with `=` or, when it
/// failed, `!`.
final class ControlSocket {
    private static let mostClients = 16

    let descriptor: Int32
    private let path: String
    private let lock: Int32
    private(set) var clients: [Int32: [UInt8]] = [:]

    /// Throws when another supervisor has the socket. The folder is made when it is missing, for its owner only.
    init(path: String) throws {
        self.path = path
        if let folder = path.lastIndex(of: "/").map({ String(path[..<$0]) }), !folder.isEmpty { mkdir(folder, 0o700) }
        lock = try Self.takeLock(path)
        unlink(path)
        descriptor = try Descriptor.high(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0), "open a socket")
        // Linux gives the file the socket's mode; `umask` would be the whole process's, also for files that others make meanwhile.
        guard fchmod(descriptor, 0o600) == 0, try UnixAddress.with(path, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 16) == 0
        else { throw SystemFailure("make the socket \(path)") }
        Descriptor.neverWait(descriptor)
    }

    /// Held for as long as the process lives, also when it is killed: unlike the file of the socket.
    private static func takeLock(_ path: String) throws -> Int32 {
        let lock = try Descriptor.high(open(path + ".lock", O_RDWR | O_CREAT, 0o600), "open \(path).lock")
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw SystemFailure("use the socket \(path)", because: "another supervisor has it; CONTROL_SOCKET names another one")
        }
        return lock
    }

    /// Removes the socket; the lock goes with the process.
    func remove() {
        unlink(path)
        close(descriptor)
        for client in clients.keys { close(client) }
    }

    func accept() {
        guard let client = try? Descriptor.high(systemAccept(descriptor), "accept") else { return }
        guard clients.count < Self.mostClients else {
            Descriptor.write(client, "! too many commands at a time\n")
            close(client)
            return
        }
        Descriptor.neverWait(client)
        clients[client] = []
    }

    /// What a client asks for, once all of it came; one that went away is forgotten.
    func command(from client: Int32) -> String? {
        guard let bytes = Descriptor.read(client), clients[client, default: []].count < 64 else {
            hangUp(client)
            return nil
        }
        clients[client, default: []] += bytes
        guard let text = clients[client], text.last == UInt8(ascii: "\n") else { return nil }
        return String(decoding: text.dropLast(), as: UTF8.self)
    }

    func say(_ line: String, to client: Int32) {
        if clients[client] != nil { Descriptor.write(client, line + "\n") }
    }

    func hangUp(_ client: Int32) {
        guard clients.removeValue(forKey: client) != nil else { return }
        close(client)
    }
}

/// A command's side of the socket.
public enum ControlClient {
    /// Sends a command, hands on what is said of its progress, and returns its result.
    ///
    /// Waits for as long as that takes. Throws when no supervisor listens there, when it refuses or fails, or ends meanwhile.
    public static func ask(_ command: String, at path: String, progress: (String) -> Void) throws -> String {
        let descriptor = try Descriptor.high(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0), "open a socket")
        defer { close(descriptor) }
        guard try UnixAddress.with(path, { connect(descriptor, $0, $1) }) == 0 else {
            throw SystemFailure("reach a supervisor at \(path)")
        }
        Descriptor.write(descriptor, command + "\n")
        var text = ""
        while let bytes = Descriptor.read(descriptor) {
            text += String(decoding: bytes, as: UTF8.self)
            while let end = text.firstIndex(of: "\n") {
                let line = text[..<end]
                text = String(text[text.index(after: end)...])
                switch line.first {
                case "+": progress(String(line.dropFirst(2)))
                case "=": return String(line.dropFirst(2))
                default: throw SystemFailure(command, because: String(line.dropFirst(2)))
                }
            }
        }
        throw SystemFailure(command, because: "the supervisor ended")
    }
}

private enum UnixAddress {
    /// Calls `body` with the address of a path; throws when the path is longer than addresses can be.
    static func with<R>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) throws -> R {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemFailure("use the socket \(path)", because: "its path is too long")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}

/// `accept`, by a name that the method above does not hide.
private func systemAccept(_ descriptor: Int32) -> Int32 { accept(descriptor, nil, nil) }
