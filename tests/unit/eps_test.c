/*
 * eps_test.c -- the EPS algorithms against the specifications' test sets.
 *
 * 128-EEA1 and 128-EIA1: TS 33.401 annexes C.3 and C.4 (EEA1: the UEA2 sets of TS 35.217). 128-EEA2
 * and 128-EIA2: annexes C.1 and C.2. 128-EEA3 and 128-EIA3: ETSI/SAGE document 3 (TS 35.223). Sets
 * of many kilobits are left out; long inputs are compared with OpenSSL's own modes instead.
 */
#include "unit.h"

#include <errno.h>
#include <openssl/evp.h>

#include "base/text.h"
#include "crypto/crypto.h"

#define MAX 512

struct set {
    const char *name;
    unsigned algorithm;
    const char *key;
    uint32_t count;
    uint8_t bearer;
    unsigned direction;
    size_t bits;
    const char *message;
    const char *result; /* the cipher text, or the MAC */
};

// clang-format off
static const struct set eea_sets[] = {
    {"128-EEA1 set 1", 1, "2bd6459f82c5b300952c49104881ff48", 0x72a4f20f, 12, 1, 798,
     "7ec61272743bf1614726446a6c38ced166f6ca76eb5430044286346cef130f92922b03450d3a99"
     "75e5bd2ea0eb55ad8e1b199e3ec4316020e9a1b285e762795359b7bdfd39bef4b2484583d5afe0"
     "82aee638bf5fd5a606193901a08f4ab41aab9b134880",
     "8ceba62943dced3a0990b06ea1b0a2c4fb3cedc71b369f42ba64c1eb6665e72aa1c9bb0deaa20f"
     "e86058b8baee2c2e7f0becce48b52932a53c9d5f931a3a7c532259af4325e2a65e3084ad5f6a51"
     "3b7bddc1b65f0aa0d97a053db55a88c4c4f9605e4140"},
    {"128-EEA1 set 2", 1, "efa8b2229e720c2a7c36ea55e9605695", 0xe28bcf7b, 24, 0, 510,
     "10111231e060253a43fd3f57e37607ab2827b599b6b1bbda37a8abcc5a8c550d1bfb2f494624fb"
     "50367fa36ce3bc68f11cf93b1510376b02130f812a9fa169d8",
     "e0da15ca8e2554f5e56c9468dc6c7c129c568aa5032317e04e0729646cabefa689864c410f24f9"
     "19e61e3dfdfad77e560db0a9cd36c34ae4181490b29f5fa2fc"},
    {"128-EEA1 set 3", 1, "5acb1d644c0d51204ea5f1451010d852", 0xfa556b26, 3, 1, 120,
     "ad9c441f890b38c457a49d421407e8",
     "ba0f31300334c56b52a7497cbac046"},
    {"128-EEA1 set 4", 1, "d3c5d592327fb11c4035c6680af8c6d1", 0x398a59b4, 5, 1, 253,
     "981ba6824c1bfb1ab485472029b71d808ce33e2cc3c0b5fc1f3de8a6dc66b1f0",
     "989b719cdc33ceb7cf276a52827cef94a56c40c0ab9d81f7a2a9bac60e11c4b0"},
    {"128-EEA1 set 5", 1, "6090eae04c83706eecbf652be8e36566", 0x72a4f20f, 9, 0, 837,
     "40981ba6824c1bfb4286b299783daf442c099f7ab0f58d5c8e46b104f08f01b41ab485472029b7"
     "1d36bd1a3d90dc3a41b46d51672ac4c9663a2be063da4bc8d2808ce33e2cccbfc634e1b2590608"
     "76a0fbb5a437ebcc8d31c19e4454318745e3987645987a986f2cb0",
     "5892bba88bbbcaaeae769aa06b683d3a17cc04a369881697435e44fed5ff9af57b9e890d4d5c64"
     "709885d48ae40690ec043baae9705796e4a9ff5a4b8d8b36d7f3fe57cc6cfd6cd005cd3852a85e"
     "94ce6bcd90d0d07839ce09733544ca8e350843248550922ac12818"},
    {"128-EEA2 set 1", 2, "d3c5d592327fb11c4035c6680af8c6d1", 0x398a59b4, 21, 1, 253,
     "981ba6824c1bfb1ab485472029b71d808ce33e2cc3c0b5fc1f3de8a6dc66b1f0",
     "e9fed8a63d155304d71df20bf3e82214b20ed7dad2f233dc3c22d7bdeeed8e78"},
    {"128-EEA2 set 2", 2, "2bd6459f82c440e0952c49104805ff48", 0xc675a64b, 12, 1, 798,
     "7ec61272743bf1614726446a6c38ced166f6ca76eb5430044286346cef130f92922b03450d3a99"
     "75e5bd2ea0eb55ad8e1b199e3ec4316020e9a1b285e762795359b7bdfd39bef4b2484583d5afe0"
     "82aee638bf5fd5a606193901a08f4ab41aab9b134880",
     "5961605353c64bdca15b195e288553a910632506d6200aa790c4c806c99904cf2445cc50bb1cf1"
     "68a49673734e081b57e324ce5259c0e78d4cd97b870976503c0943f2cb5ae8f052c7b7d3922395"
     "87b8956086bcab18836042e2e6ce42432a17105c53d0"},
    {"128-EEA2 set 3", 2, "0a8b6bd8d9b08b08d64e32d1817777fb", 0x544d49cd, 4, 0, 310,
     "fd40a41d370a1f65745095687d47ba1d36d2349e23f644392c8ea9c49d40c13271aff264d0f248",
     "75750d37b4bba2a4dedb34235bd68c6645acdaaca48138a3b0c471e2a7041a576423d2927287f0"},
    {"128-EEA2 set 4", 2, "aa1f95aea533bcb32eb63bf52d8f831a", 0x72d8c671, 16, 1, 1022,
     "fb1b96c5c8badfb2e8e8edfde78e57f2ad81e74103fc430a534dcc37afcec70e1517bb06f27219"
     "dae49022ddc47a068de4c9496a951a6b09edbdc864c7adbd740ac50c022f3082bafd22d78197c5"
     "d508b977bca13f32e652e74ba728576077ce628c535e87dc6077ba07d29068590c8cb5f1088e08"
     "2cfa0ec961302d69cf3d44",
     "dfb440acb3773549efc04628aeb8d8156275230bdc690d94b00d8d95f28c4b56307f60f4ca55eb"
     "a661ebba72ac808fa8c49e26788ed04a5d606cb418de74878b9a22f8ef29590bc4eb57c9faf7c4"
     "1524a885b8979c423f2f8f8e0592a9879201be7ff9777a162ab810feb324ba74c4c156e04d3909"
     "7209653ac33e5a5f2d8864"},
    {"128-EEA2 set 5", 2, "9618ae46891f86578eebe90ef7a1202e", 0xc675a64b, 12, 1, 1245,
     "8daa17b1ae050529c6827f28c0ef6a1242e93f8b314fb18a77f790ae049fedd612267fecaefc45"
     "0174d76d9f9aa7755a30cd90a9a5874bf48eaf70eea3a62a250a8b6bd8d9b08b08d64e32d18177"
     "77fb544d49cd49720e219dbf8bbed33904e1fd40a41d370a1f65745095687d47ba1d36d2349e23"
     "f644392c8ea9c49d40c13271aff264d0f24841d6465f0996ff84e65fc517c53efc3363c38492a8",
     "919c8c33d66789703d05a0d7ce82a2aeac4ee76c0f4da050335e8a84e7897ba5df2f36bd513e3d"
     "0c8578c7a0fcf043e03aa3a39fbaad7d15be074faa5d9029f71fb457b647834714b0e18f117fca"
     "10677945096c8c5f326ba8d6095eb29c3e36cf245d1622aafe921f7566c4f5d644f2f1fc0ec684"
     "ddb21349747622e209295d27ff3f95623371d49b147c0af486171f22cd04b1cbeb2658223e6938"},
    {"128-EEA3 set 1", 3, "173d14ba5003731d7a60049470f00a29", 0x66035492, 15, 0, 193,
     "6cf65340735552ab0c9752fa6f9025fe0bd675d9005875b200",
     "a6c85fc66afb8533aafc2518dfe784940ee1e4b030238cc800"},
    {"128-EEA3 set 2", 3, "e5bd3ea0eb55ade866c6ac58bd54302a", 0x00056823, 24, 1, 800,
     "14a8ef693d678507bbe7270a7f67ff5006c3525b9807e467c4e56000ba338f5d42955903675182"
     "2246c80d3b38f07f4be2d8ff5805f5132229bde93bbbdcaf382bf1ee972fbf9977bada8945847a"
     "2a6c9ad34a667554e04d1f7fa2c33241bd8f01ba220d",
     "131d43e0dea1be5c5a1bfd971d852cbf712d7b4f57961fea3208afa8bca433f456ad09c7417e58"
     "bc69cf8866d1353f74865e80781d202dfb3ecff7fcbc3b190fe82a204ed0e350fc0f6f2613b2f2"
     "bca6df5a473a57a4a00d985ebad880d6f23864a07b01"},
    {"128-EEA3 set 3", 3, "d4552a8fd6e61cc81a2009141a29c10b", 0x76452ec1, 2, 1, 1570,
     "38f07f4be2d8ff5805f5132229bde93bbbdcaf382bf1ee972fbf9977bada8945847a2a6c9ad34a"
     "667554e04d1f7fa2c33241bd8f01ba220d3ca4ec41e074595f54ae2b454fd971432043601965cc"
     "a85c2417ed6cbec3bada84fc8a579aea7837b0271177242a64dc0a9de71a8edee86ca3d47d033d"
     "6bf539804eca86c584a9052de46ad3fced65543bd90207372b27afb79234f5ff43ea870820e2c2"
     "b78a8aae61cce52a0515e348d196664a3456b182a07c406e4a20791271cfeda165d535ec5ea2d4"
     "df40",
     "8383b0229fcc0b9d2295ec41c977e9c2bb72e220378141f9c8318f3a270dfbcdee6411c2b3044f"
     "176dc6e00f8960f97afacd131ad6a3b49b16b7babcf2a509ebb16a75dcab14ff275dbeeea1a2b1"
     "55f9d52c26452d0187c310a4ee55beaa78ab4024615ba9f5d5adc7728f73560671f013e5e55008"
     "5d3291df7d5fecedded559641b6c2f585233bc71e9602bd2305855bbd25ffa7f17ecbc042daae3"
     "8c1f57ad8e8ebd37346f71befdbb7432e0e0bb2cfc09bcd96570cb0c0c39df5e29294e82703a63"
     "7f80"},
};

static const struct set eia_sets[] = {
    {"128-EIA1 set 1", 1, "2bd6459f82c5b300952c49104881ff48", 0x38a6f056, 31, 0, 88,
     "3332346263393861373479",
     "731f1165"},
    {"128-EIA1 set 2", 1, "7e5e94431e11d73828d739cc6ced4573", 0x36af6144, 24, 1, 254,
     "b3d3c9170a4e1632f60f861013d22d84b726b6a278d802d1eeaf1321ba5929dc",
     "e3259f6f"},
    {"128-EIA1 set 3", 1, "d3419be821087acd02123a9248033359", 0xc7590ea9, 23, 0, 511,
     "bbb057038809496bcff86d6fbc8ce5b135a06b166054f2d565be8ace75dc851e0bcdd8f07141c4"
     "95872fb5d8c0c66a8b6da556663e4e461205d84580bee5bc7e",
     "9a16c77d"},
    {"128-EIA1 set 4", 1, "83fd23a244a74cf358da3019f1722635", 0x36af6144, 15, 1, 768,
     "35c68716633c66fb750c266865d53c11ea05b1e9fa49c8398d48e1efa5909d3947902837f5ae96"
     "d5a05bc8d61ca8dbef1b13a4b4abfe4fb1006045b674bb54729304c382be53a5af05556176f6ea"
     "a2ef1d05e4b083181ee674cda5a485f74d7a",
     "bba74492"},
    {"128-EIA1 set 5", 1, "6832a65cff4473621ebdd4ba26a921fe", 0x36af6144, 24, 0, 383,
     "d3c53839626820717765667620323837636240981ba6824c1bfb1ab485472029b71d808ce33e2c"
     "c3c0b5fc1f3de8a6dc",
     "4145e4b0"},
    {"128-EIA1 set 6", 1, "5d0a80d8134ae19677824b671e838af4", 0x7827fab2, 5, 1, 2558,
     "70dedf2dc42c5cbd3a96f8a0b11418b3608d5733604a2cd36aabc70ce3193bb5153be2d3c06dfd"
     "b2d16e9c357158be6a41d6b861e491db3fbfeb518efcf048d7d58953730ff30c9ec470ffcd663d"
     "c34201c36addc0111c35b38afee7cfdb582e3731f8b4baa8d1a89c06e81199a9716227be344efc"
     "b436ddd0f096c064c3b5e2c399993fc77394f9e09720a811850ef23b2ee05d9e6173609d86e1c0"
     "c18ea51a012a00bb413b9cb8188a703cd6bae31cc67b34b1b00019e6a2b2a690f02671fe7c9ef8"
     "dec0094e533763478d58d2c5f5b827a0148c5948a96931acf84f465a64e62ce74007e991e37ea8"
     "23fa0fb21923b79905b733b631e6c7d6860a3831ac351a9c730c52ff72d9d308eedbab21fde143"
     "a0ea17e23edc1f74cbb3638a2033aaa15464eaa733385dbbeb6fd73509b857e6a419dca1d8907a"
     "f977fbac4dfa35ec",
     "0fa2b1ee"},
    {"128-EIA2 set 1", 2, "2bd6459f82c5b300952c49104881ff48", 0x38a6f056, 24, 0, 58,
     "3332346263393840",
     "118c6eb8"},
    {"128-EIA2 set 2", 2, "d3c5d592327fb11c4035c6680af8c6d1", 0x398a59b4, 26, 1, 64,
     "484583d5afe082ae",
     "b93787e6"},
    {"128-EIA2 set 3", 2, "7e5e94431e11d73828d739cc6ced4573", 0x36af6144, 24, 1, 254,
     "b3d3c9170a4e1632f60f861013d22d84b726b6a278d802d1eeaf1321ba5929dc",
     "1f60b01d"},
    {"128-EIA2 set 4", 2, "d3419be821087acd02123a9248033359", 0xc7590ea9, 23, 0, 511,
     "bbb057038809496bcff86d6fbc8ce5b135a06b166054f2d565be8ace75dc851e0bcdd8f07141c4"
     "95872fb5d8c0c66a8b6da556663e4e461205d84580bee5bc7e",
     "6846a2f0"},
    {"128-EIA2 set 5", 2, "83fd23a244a74cf358da3019f1722635", 0x36af6144, 15, 1, 768,
     "35c68716633c66fb750c266865d53c11ea05b1e9fa49c8398d48e1efa5909d3947902837f5ae96"
     "d5a05bc8d61ca8dbef1b13a4b4abfe4fb1006045b674bb54729304c382be53a5af05556176f6ea"
     "a2ef1d05e4b083181ee674cda5a485f74d7a",
     "e657e182"},
    {"128-EIA2 set 6", 2, "6832a65cff4473621ebdd4ba26a921fe", 0x36af6144, 24, 0, 383,
     "d3c53839626820717765667620323837636240981ba6824c1bfb1ab485472029b71d808ce33e2c"
     "c3c0b5fc1f3de8a6dc",
     "f0668c1e"},
    {"128-EIA2 set 7", 2, "5d0a80d8134ae19677824b671e838af4", 0x7827fab2, 5, 1, 2558,
     "70dedf2dc42c5cbd3a96f8a0b11418b3608d5733604a2cd36aabc70ce3193bb5153be2d3c06dfd"
     "b2d16e9c357158be6a41d6b861e491db3fbfeb518efcf048d7d58953730ff30c9ec470ffcd663d"
     "c34201c36addc0111c35b38afee7cfdb582e3731f8b4baa8d1a89c06e81199a9716227be344efc"
     "b436ddd0f096c064c3b5e2c399993fc77394f9e09720a811850ef23b2ee05d9e6173609d86e1c0"
     "c18ea51a012a00bb413b9cb8188a703cd6bae31cc67b34b1b00019e6a2b2a690f02671fe7c9ef8"
     "dec0094e533763478d58d2c5f5b827a0148c5948a96931acf84f465a64e62ce74007e991e37ea8"
     "23fa0fb21923b79905b733b631e6c7d6860a3831ac351a9c730c52ff72d9d308eedbab21fde143"
     "a0ea17e23edc1f74cbb3638a2033aaa15464eaa733385dbbeb6fd73509b857e6a419dca1d8907a"
     "f977fbac4dfa35ec",
     "f4cc8fa3"},
    {"128-EIA3 set 1", 3, "00000000000000000000000000000000", 0x00000000, 0, 0, 1,
     "00",
     "c8a9595e"},
    {"128-EIA3 set 2", 3, "47054125561eb2dda94059da05097850", 0x561eb2dd, 20, 0, 90,
     "000000000000000000000000",
     "6719a088"},
    {"128-EIA3 set 3", 3, "c9e6cec4607c72db000aefa88385ab0a", 0xa94059da, 10, 1, 577,
     "983b41d47d780c9e1ad11d7eb70391b1de0b35da2dc62f83e7b78d6306ca0ea07e941b7be91348"
     "f9fcb170e2217fecd97f9f68adb16e5d7d21e569d280ed775cebde3f4093c5388100",
     "fae8ff0b"},
    {"128-EIA3 set 4", 3, "c8a48262d0c2e2bac4b96ef77e80ca59", 0x05097850, 16, 1, 2079,
     "b546430bf87b4f1ee834704cd6951c36e26f108cf731788f48dc34f1678c05221c8fa7ff2f39f4"
     "77e7e49ef60a4ec2c3de24312a96aa26e1cfba57563838b297f47e8510c779fd6654b143386fa6"
     "39d31edbd6c06e47d159d94362f26aeeedee0e4f49d9bf8412995415bfad56ee82d1ca7463abf0"
     "85b082b09904d6d990d43cf2e062f40839d93248b1eb92cdfed5300bc148280430b6d0caa094b6"
     "ec8911ab7dc36824b824dc0af6682b0935fde7b492a14dc2f43648038da2cf79170d2d50133fd4"
     "9416cb6e33bea90b8bf4559b03732a01ea290e6d074f79bb83c10e580015cc1a85b36b5501046e"
     "9c4bdcae5135690b8666bd54b7a703ea7b6f220a5469a568027e",
     "004ac4d6"},
};
// clang-format on

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct eps_key_stream stream_of(const struct set *s, uint8_t key[16])
{
    assert_int_equal(hex_parse(s->key, key, 16), 16);
    return (struct eps_key_stream){key, s->count, s->bearer, (enum eps_direction)s->direction};
}

static void eea_sets_encrypt_and_decrypt(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(eea_sets); i++) {
        const struct set *s = &eea_sets[i];
        uint8_t key[16], message[MAX], expected[MAX], out[MAX];
        struct eps_key_stream stream = stream_of(s, key);
        size_t octets = (s->bits + 7) / 8;

        print_message("%s\n", s->name);
        assert_int_equal(hex_parse(s->message, message, MAX), octets);
        assert_int_equal(hex_parse(s->result, expected, MAX), octets);
        assert_int_equal(eps_eea(s->algorithm, &stream, message, out, s->bits), 0);
        assert_memory_equal(out, expected, octets);
        assert_int_equal(eps_eea(s->algorithm, &stream, out, out, s->bits), 0); /* in place */
        if (s->bits % 8)
            message[octets - 1] &= (uint8_t)(0xff << (8 - s->bits % 8));
        assert_memory_equal(out, message, octets);
    }
}

static void eia_sets_give_their_mac(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(eia_sets); i++) {
        const struct set *s = &eia_sets[i];
        uint8_t key[16], message[MAX], expected[4], mac[4];
        struct eps_key_stream stream = stream_of(s, key);
        size_t octets = (s->bits + 7) / 8;

        print_message("%s\n", s->name);
        assert_int_equal(hex_parse(s->message, message, MAX), octets);
        assert_int_equal(hex_parse(s->result, expected, 4), 4);
        assert_int_equal(eps_eia(s->algorithm, &stream, message, s->bits, mac), 0);
        assert_memory_equal(mac, expected, 4);
        if (s->bits % 8) { /* what lies behind the last bit does not count */
            message[octets - 1] ^= (uint8_t)(0xff >> s->bits % 8);
            assert_int_equal(eps_eia(s->algorithm, &stream, message, s->bits, mac), 0);
            assert_memory_equal(mac, expected, 4);
        }
        message[0] ^= 0x80;
        assert_int_equal(eps_eia(s->algorithm, &stream, message, s->bits, mac), 0);
        assert_memory_not_equal(mac, expected, 4);
    }
}

/* Messages of every length up to some blocks beyond what EEA2 makes in one go. */
static void aes_modes_agree_with_openssl_at_every_length(void **state)
{
    (void)state;
    static uint8_t message[8 + 600], out[600], expected[600];
    uint8_t key[16], iv[16] = {0x12, 0x34, 0x56, 0x78, 9 << 3 | 1 << 2};
    struct eps_key_stream stream = {key, 0x12345678, 9, EPS_DOWNLINK};
    EVP_CIPHER_CTX *ctr = EVP_CIPHER_CTX_new();
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "CMAC", NULL);
    EVP_MAC_CTX *cmac = EVP_MAC_CTX_new(algorithm);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string("cipher", (char[]){"AES-128-CBC"}, 0),
        OSSL_PARAM_construct_end()};

    for (unsigned i = 0; i < sizeof(message); i++)
        message[i] = (uint8_t)(i * 7 + 3);
    for (unsigned i = 0; i < 16; i++)
        key[i] = (uint8_t)(0xf0 - i);
    memcpy(message, iv, 8);
    for (size_t len = 0; len <= 600; len++) {
        uint8_t mac[4], whole[16];
        size_t mac_len;
        int n;
        assert_int_equal(EVP_EncryptInit_ex(ctr, EVP_aes_128_ctr(), NULL, key, iv), 1);
        assert_int_equal(EVP_EncryptUpdate(ctr, expected, &n, message + 8, (int)len), 1);
        assert_int_equal(eps_eea(EPS_ALGORITHM_AES, &stream, message + 8, out, len * 8), 0);
        assert_memory_equal(out, expected, len);
        assert_int_equal(EVP_MAC_init(cmac, key, 16, parameters), 1);
        assert_int_equal(EVP_MAC_update(cmac, message, len + 8), 1);
        assert_int_equal(EVP_MAC_final(cmac, whole, &mac_len, sizeof(whole)), 1);
        assert_int_equal(eps_eia(EPS_ALGORITHM_AES, &stream, message + 8, len * 8, mac), 0);
        assert_memory_equal(mac, whole, 4);
    }
    EVP_CIPHER_CTX_free(ctr);
    EVP_MAC_CTX_free(cmac);
    EVP_MAC_free(algorithm);
}

static void null_algorithms_do_nothing(void **state)
{
    (void)state;
    uint8_t out[3], mac[4] = {1, 2, 3, 4};
    struct eps_key_stream stream = {(const uint8_t[16]){1}, 7, 0, EPS_UPLINK};

    assert_int_equal(eps_eea(EPS_ALGORITHM_NULL, &stream, (const uint8_t *)"abc", out, 24), 0);
    assert_memory_equal(out, "abc", 3);
    assert_int_equal(eps_eea(EPS_ALGORITHM_NULL, &stream, NULL, NULL, 0), 0);
    assert_int_equal(eps_eia(EPS_ALGORITHM_NULL, &stream, out, 24, mac), 0);
    assert_memory_equal(mac, "\0\0\0\0", 4);
}

static void unknown_algorithms_are_refused(void **state)
{
    (void)state;
    uint8_t octet = 0, mac[4];
    struct eps_key_stream stream = {(const uint8_t[16]){1}, 7, 0, EPS_UPLINK};

    for (unsigned algorithm = 4; algorithm < 9; algorithm++) {
        assert_int_equal(eps_eea(algorithm, &stream, &octet, &octet, 8), -ENOTSUP);
        assert_int_equal(eps_eia(algorithm, &stream, &octet, 8, mac), -ENOTSUP);
        assert_string_equal(eps_algorithm_name(algorithm), "unknown");
    }
    assert_string_equal(eps_algorithm_name(EPS_ALGORITHM_ZUC), "zuc");
}

static void empty_messages_are_messages(void **state)
{
    (void)state;
    struct eps_key_stream stream = {(const uint8_t[16]){1}, 7, 0, EPS_UPLINK};
    uint8_t mac[4], none[1] = {0xaa};

    for (unsigned algorithm = 1; algorithm <= 3; algorithm++) {
        assert_int_equal(eps_eea(algorithm, &stream, none, none, 0), 0);
        assert_int_equal(none[0], 0xaa);
        memset(mac, 0, 4);
        assert_int_equal(eps_eia(algorithm, &stream, none, 0, mac), 0);
        assert_memory_not_equal(mac, "\0\0\0\0", 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eea_sets_encrypt_and_decrypt),
        cmocka_unit_test(eia_sets_give_their_mac),
        cmocka_unit_test(aes_modes_agree_with_openssl_at_every_length),
        cmocka_unit_test(null_algorithms_do_nothing),
        cmocka_unit_test(unknown_algorithms_are_refused),
        cmocka_unit_test(empty_messages_are_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
