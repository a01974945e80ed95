using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ShmCheck.Bench.Calls;

/// <summary>Makes the calls of a mix on the running kernel: a C program that does nothing else
/// (<c>bench/live/loop.c</c>), in an IPC namespace of its own.</summary>
internal sealed class KernelLoop : IDisposable
{
    private readonly int _calls;
    private readonly string _file = Path.GetTempFileName();
    private readonly Process _process;

    public KernelLoop(string program, Mix mix)
    {
        _calls = mix.Ops.Length;
        File.WriteAllBytes(_file, MemoryMarshal.AsBytes(mix.Ops.AsSpan()));
        _process = Process.Start(new ProcessStartInfo(program, [_file])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    /// <summary>Compiles the program.</summary>
    public static string Build()
    {
        string source = Path.Combine(AppContext.BaseDirectory, "live", "loop.c");
        string program = Path.ChangeExtension(source, null);
        CCompiler.Run("-O2", "-Wall", "-o", program, source);
        return program;
    }

    /// <summary>Makes all calls once.</summary>
    /// <returns>Nanoseconds for each.</returns>
    /// <exception cref="InvalidDataException">A call failed, or none can be made.</exception>
    public double Run()
    {
        _process.StandardInput.WriteLine();
        _process.StandardInput.Flush();
        return _process.StandardOutput.ReadLine() is { } line
            ? double.Parse(line, CultureInfo.InvariantCulture) / _calls
            : throw new InvalidDataException(
                $"the calls on the kernel: {_process.StandardError.ReadToEnd().Trim()}");
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
        File.Delete(_file);
    }
}
