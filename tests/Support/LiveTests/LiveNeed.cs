namespace ShmCheck.LiveTests;

/// <summary>What a live test needs of the machine it runs on.</summary>
public enum LiveNeed
{
    /// <summary>The privileges of root.</summary>
    Root,

    /// <summary>System V shared memory, with its file under /proc (CONFIG_SYSVIPC).</summary>
    SystemVIpc,

    /// <summary>IPC namespaces that this process may create: a test in one of its own meets
    /// nobody else's segments.</summary>
    IpcNamespaces,

    /// <summary>A huge page pool whose size this process may set.</summary>
    HugePages,

    /// <summary>A kernel that swaps (CONFIG_SWAP); the device is the test's own business.
    /// </summary>
    Swap,

    /// <summary>A C compiler on the path, as <c>cc</c>.</summary>
    CCompiler,

    /// <summary>The model checker SPIN on the path, as <c>spin</c>.</summary>
    Spin,

    /// <summary>Perl on the path.</summary>
    Perl,

    /// <summary>gVisor on the path, as <c>runsc</c>.</summary>
    GVisor,

    /// <summary>QEMU's user-mode emulation of x86-64 on the path.</summary>
    QemuUser,

    /// <summary>Valgrind on the path.</summary>
    Valgrind,
}
