import Foundation

/// Secrets made up where nobody set any, kept so that tokens survive a restart: one file per secret.
///
/// The folder has mode 0700, files 0600. A file appears complete or not at all, and the first one wins: of processes that
/// start together, all read the same secret. Asking again is safe and gives the same answer.
public struct SecretStore: Sendable {
    /// Why a secret could be neither read nor made, and the sentence that mends it; without any secret.
    public struct Trouble: Error, Sendable, Hashable {
        public let path: String
        public let found: String
        public let repair: String
    }

    private let folder: String

    /// - Parameter folder: made when it is missing, its parents too.
    public init(folder: String) {
        self.folder = folder
    }

    /// The kept secret of this name, made first when there is none.
    ///
    /// - Throws: when the folder cannot be written, or the file is open to other users or damaged.
    public func secret(named name: String) throws(Trouble) -> Secret {
        let path = "\(folder)/\(name)"
        if let kept = try read(path) { return kept }
        try makeFolder()
        try publish(Secret.random(), at: path)
        guard let kept = try read(path) else { throw Trouble(path: path, found: "no file after writing it", repair: "Start again.") }
        return kept
    }

    private func read(_ path: String) throws(Trouble) -> Secret? {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.refused(path)
        }
        defer { close(descriptor) }
        try checkPrivacy(of: descriptor, path)
        return try checked(contents(of: descriptor, path), path)
    }

    private func checkPrivacy(of descriptor: Int32, _ path: String) throws(Trouble) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.refused(path) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0 else {
            throw Trouble(
                path: path, found: "a file other users may open", repair: "Run `chmod 600 \(path)`, or delete it to get a new secret.")
        }
    }

    private func contents(of descriptor: Int32, _ path: String) throws(Trouble) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = Foundation.read(descriptor, &buffer, buffer.count)
        guard count >= 0 else { throw Self.refused(path) }
        return String(decoding: buffer.prefix(count), as: UTF8.self).trimmed
    }

    private func checked(_ text: String, _ path: String) throws(Trouble) -> Secret {
        guard (32...200).contains(text.utf8.count) else {
            throw Trouble(path: path, found: "a damaged file", repair: "Delete it to get a new secret; tokens signed with the old one end.")
        }
        return Secret(text)
    }

    private func makeFolder() throws(Trouble) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: NSNumber(value: 0o700)])
        } catch {
            throw Trouble(path: folder, found: "a folder that cannot be made", repair: "Let this user write there, or set the secret.")
        }
        guard chmod(folder, 0o700) == 0 else { throw Self.refused(folder) }
    }

    /// Writes a private file and links it into place: `link` fails when another process was first, and then its secret stands.
    private func publish(_ secret: Secret, at path: String) throws(Trouble) {
        let draft = "\(path).\(UUID().uuidString)"
        defer { unlink(draft) }
        try write(secret, to: draft)
        guard link(draft, path) == 0 || errno == EEXIST else { throw Self.refused(path) }
    }

    private func write(_ secret: Secret, to draft: String) throws(Trouble) {
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.refused(draft) }
        defer { close(descriptor) }
        let bytes = secret.unsafeRevealBytes() + [UInt8(ascii: "\n")]
        // Synced before the link, so that a power cut leaves no empty secret behind.
        guard Foundation.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else { throw Self.refused(draft) }
    }

    private static func refused(_ path: String) -> Trouble {
        let reason = String(cString: strerror(errno))
        return Trouble(
            path: path, found: "an error of the system: \(reason)", repair: "Let this user read and write there, or set the secret.")
    }
}
