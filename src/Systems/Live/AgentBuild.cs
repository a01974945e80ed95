namespace ShmCheck.Systems.Live;

/// <summary>How the agent is compiled.</summary>
/// <param name="Compiler">Command of the C compiler.</param>
/// <param name="IsStatic">Whether the C library is linked into it.</param>
/// <param name="Package">Debian packages that have all it takes.</param>
internal sealed record AgentBuild(string Compiler, bool IsStatic, string Package)
{
    /// <summary>For the processor of this machine.</summary>
    public static AgentBuild Usual { get; } = new("cc", IsStatic: true, "gcc libc6-dev");

    /// <summary>For 64-bit Arm.</summary>
    public static AgentBuild Arm64 { get; } = new(
        "aarch64-linux-gnu-gcc", IsStatic: true, "gcc-aarch64-linux-gnu libc6-dev-arm64-cross");

    /// <summary>For 64-bit POWER, little endian.</summary>
    public static AgentBuild Power { get; } = new(
        "powerpc64le-linux-gnu-gcc", IsStatic: true,
        "gcc-powerpc64le-linux-gnu libc6-dev-ppc64el-cross");
}
