import Crypto
import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI

extension InvitationToken {
    /// 32 bytes always make a token.
    static func random() -> InvitationToken {
        let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        do throws(Fault) {
            return try InvitationToken(Base64URL.encode(bytes))
        } catch {
            preconditionFailure("An invitation's token is made of 32 bytes: \(error.message)")
        }
    }

    /// What is stored: a token has 256 bits of chance, so a plain hash keeps it.
    var hash: [UInt8] { Array(SHA256.hash(data: Data(raw.utf8))) }
}
