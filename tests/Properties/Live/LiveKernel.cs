using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>The tests that have the machine to themselves, one after the other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class LiveKernel : ICollectionFixture<LiveKernel>, IDisposable
{
    public const string Name = "live kernel";

    private LinuxFactory? _linux;

    /// <summary>How long to wait for a machine that another process checks.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(5);

    /// <summary>The running kernel, with a synchronous swap device.</summary>
    internal LinuxFactory Linux =>
        _linux ??= new LinuxFactory(new LinuxOptions { LockPatience = Patience });

    /// <summary>Gives the machine back; the next use takes it again.</summary>
    public void Release()
    {
        _linux?.Dispose();
        _linux = null;
    }

    public void Dispose() => Release();
}
