using System.Diagnostics;
using System.Text.Json.Nodes;
using ShmCheck.LiveTests;
using ShmCheck.Properties.Support;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>The command in the hands of somebody without any privilege.</summary>
[Collection(LiveKernel.Name)]
public sealed class OrdinaryUserTests : IDisposable
{
    private const string Nobody = "65534";

    private readonly TemporaryFolder _folder = new();

    private readonly MachineLock _machine;

    /// <summary>A copy of the command that everybody can read, on a machine whose swap and memory
    /// nobody turns meanwhile: an ordinary user has no say in that.</summary>
    public OrdinaryUserTests(LiveKernel kernel)
    {
        kernel.Release();
        string state = new LinuxOptions().StateDirectory;
        Directory.CreateDirectory(state);
        _machine = MachineLock.Take(Path.Combine(state, "lock"), LiveKernel.Patience);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder.Path, (UnixFileMode)0x1ff);
        }

        foreach (string file in Directory.EnumerateFiles(AppContext.BaseDirectory))
        {
            File.Copy(file, _folder.PathOf(Path.GetFileName(file)));
        }
    }

    public void Dispose()
    {
        _folder.Dispose();
        _machine.Dispose();
    }

    [LiveFact(LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    public void An_ordinary_user_checks_the_kernel_as_far_as_it_lets_him()
    {
        (int code, JsonNode report) = Run(
            "check", "--system", "linux", "--steps", "1000", "--seed", "3", "--out",
            _folder.PathOf("findings"), "--json");
        Assert.Equal(0, code);
        Assert.True((long)report["steps"]! >= 1000);
        Assert.Empty(report["divergences"]!.AsArray());
    }

    [LiveFact(LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    public void An_ordinary_user_is_told_what_is_left_out()
    {
        (int code, JsonNode report) = Run("systems", "--json");
        JsonNode linux = report["systems"]!.AsArray()
            .Single(system => (string?)system!["name"] == "linux")!;
        string[] left = [.. linux["lacks"]!.AsArray().Select(lack => (string)lack!["what"]!)];
        Assert.Equal(0, code);
        Assert.True((bool)linux["canRun"]!);
        Assert.Contains("huge pages", left);
        Assert.Contains("swap", left);
        Assert.Contains("users, locks and low addresses", left);
        Assert.All(
            linux["lacks"]!.AsArray(), lack => Assert.NotEmpty((string)lack!["remedy"]!));
    }

    private (int Code, JsonNode Report) Run(params string[] arguments)
    {
        string[] command =
        [
            "--reuid", Nobody, "--regid", Nobody, "--clear-groups", "dotnet",
            _folder.PathOf("shmcheck.dll"), .. arguments,
        ];
        var start = new ProcessStartInfo("setpriv", command) { RedirectStandardOutput = true };
        start.Environment["HOME"] = _folder.Path;
        start.Environment["DOTNET_CLI_HOME"] = _folder.Path;
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, JsonNode.Parse(output)!);
    }
}
