#!/usr/bin/env python3
"""Builds a library of hostile files among good presets, and checks the verdicts of an audit of it.

    tests/tools/hostile_set.py make OUT --good FOLDER --count 500 --seed 1
    aivj bake audit --library OUT/library --textures OUT/textures --out AUDIT
    tests/tools/hostile_set.py check OUT AUDIT [ALONE]

Run the audit at 256x144, the default: at lower resolutions the fine pattern is not fine. `ALONE` is an audit of
OUT/library/good by itself: the good presets must have the same measurements in both. Further texture folders may be
added to OUT/textures, the same in both audits. The same folder, count and seed give the same files."""

import argparse
import json
import os
import random
import shutil
import socket
import struct
import sys
import zlib

HEAD = "MILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n[preset00]\n"
# Lines that draw a moving picture, so that only the hostile part of a preset can be at fault.
ALIVE = "fDecay=0.97\nfWaveAlpha=1\nnWaveMode=3\nfWaveScale=2\nzoom=1.02\nrot=0.03\nwave_r=0.9\nwave_g=0.7\nwave_b=0.4\n"

# Expected verdicts: safety, text of a broken part, a missing image, a look, a flash verdict. Only the given keys are
# checked. Several values are listed where the result depends on the speed of the machine.
OK, HANG, REFUSED = {"safety": ["ok"]}, {"safety": ["hang"]}, {"safety": ["refused"]}
SLOW = {"safety": ["ok", "hang"]}
EXCLUDED = {"excluded": True}


def broken(words):
    return {"safety": ["ok"], "broken": words}


def code(lines, head=HEAD):
    return (head + ALIVE + lines + "\n").encode()


def frame(line):
    return code("per_frame_1=" + line)


def shader(body, kind="comp", extra=""):
    text = "".join(f"{kind}_{number}=`{line}\n" for number, line in enumerate(body.splitlines(), 1))
    return (HEAD + ALIVE + extra + text).encode()


def codes():
    yield "loop in every frame", frame("loop(100000000, loop(100000000, x=x+1));"), HANG
    yield "loop at the start", code("per_frame_init_1=loop(100000000, loop(100000000, x=x+1));"), broken("budget")
    yield "loop at every vertex", code("per_pixel_1=loop(1000000, zoom=zoom+0.0001);"), HANG
    yield "endless while", frame("while(exec2(while(exec2(x=x+1,1)),1));"), HANG
    # The language ends a `while` after about a million iterations.
    yield "while stopped by the language", frame("while(1);"), SLOW
    wave = "wavecode_0_enabled=1\nwavecode_0_samples=512\nwavecode_0_a=1\n"
    yield "loop at every point", code(wave + "wave_0_per_point1=loop(1000000, x=x+0.001);"), HANG
    yield "loop in a wave", code(wave + "wave_0_per_frame1=loop(100000000, loop(100000000, t1=t1+1));"), HANG
    yield "loop in a wave's start", code(wave + "wave_0_init1=loop(9999999, loop(9999999, t1=t1+1));"), broken("budget")
    shape = "shapecode_0_enabled=1\nshapecode_0_sides=4\nshapecode_0_num_inst=1024\n"
    yield "loop in every instance", code(shape + "shape_0_per_frame1=loop(1000000, x=x+1);"), HANG
    yield "loop in a shape's start", code(shape + "shape_0_init1=loop(9999999, loop(9999999, t1=t1+1));"), broken("budget")
    yield "flood of megabuf", frame("i=0; loop(1000000, megabuf(i)=1; i=i+8);"), SLOW
    yield "flood of gmegabuf", frame("i=0; loop(1000000, gmegabuf(i)=i; i=i+13);"), SLOW
    floods = "".join(
        f"wavecode_{n}_enabled=1\nwavecode_{n}_samples=512\nwave_{n}_init1=i=0; loop(128, megabuf(i)=1; i=i+65536);\n"
        f"wave_{n}_per_point1=megabuf(i*65536)=1; i=i+1;\nshapecode_{n}_enabled=1\nshapecode_{n}_num_inst=4\n"
        f"shape_{n}_init1=i=0; loop(128, megabuf(i)=1; i=i+65536);\n"
        for n in range(16)
    )
    yield "floods of every memory", code(floods), {"safety": ["ok", "memory"]}
    moves = "memset(0,1,8000000); memcpy(1,0,8000000); memcpy(-5,1e300,1e300); freembuf(-1); memset(0/0,1/0,0/0);"
    yield "memory moved around", frame(moves), SLOW
    yield "invalid memory indexes", frame("megabuf(-1)=1; megabuf(1e300)=1; megabuf(0/0)=1; x=megabuf(1/0)+gmegabuf(-1e9);"), OK
    sums = "x=1%0; y=(1/0)|7; z=1e300&1e300; q1=rand(0); q2=rand(-1e300); q3=pow(-1,0.5); q4=exp(1e9); q5=log(-1); q6=invsqrt(0);"
    yield "operations without a result", frame(sums + "q7=sqr(1e200); q8=atan2(0,0); q9=asin(9); q10=1<<999; q11=sigmoid(1e9,1e9);"), OK
    yield "deep equation", frame("x=" + "(" * 20000 + "1" + ")" * 20000 + ";"), broken("per_frame")
    yield "deep calls", frame("x=" + "sin(" * 9000 + "1" + ")" * 9000 + ";"), broken("per_frame")
    yield "deep blocks", frame("if(1," * 5000 + "x=1" + ",0)" * 5000 + ";"), broken("per_frame")
    yield "long sum", frame("x=" + "+".join(["1"] * 60000) + ";"), {"safety": ["ok"]}
    yield "long chain of signs", frame("x=" + "-" * 200000 + "1;"), broken("per_frame")
    yield "many names", frame("".join(f"name{n}={n};" for n in range(40000))), {"safety": ["ok", "hang"]}
    yield "long name", frame("a" * 400000 + "=1;"), {"safety": ["ok"]}
    yield "many lines", code("".join(f"per_frame_{n}=x{n % 90}=x{n % 80}+1;\n" for n in range(1, 30001))), SLOW
    yield "lines out of order", code("".join(f"per_frame_{n}=x=x+1;\n" for n in (1, 7, 3, 2, 2, 999999999, -1))), OK
    yield "brackets left open", frame("x=sin((1+2;"), broken("per_frame")
    yield "nothing but operators", frame("+*/=;;;%%%(,)"), broken("per_frame")
    yield "unknown calls", frame("x=system(1); y=exec(2); z=fopen(3);"), broken("per_frame")
    yield "built-in variables overwritten", frame("time=0/0; fps=0; frame=-1; bass=1e300; mesh_x=0; aspectx=0; meshy=1e9;"), OK
    for word, value in (("not a number", "0/0"), ("infinite", "1/0"), ("huge", "1e308"), ("minus huge", "-1e308")):
        names = "zoom rot warp cx cy dx dy sx sy zoomexp wave_x wave_y wave_r wave_a wave_mystery wave_mode decay gamma"
        names += " echo_zoom echo_alpha echo_orient ob_size ob_a ib_size ib_a mv_x mv_y mv_l mv_a mv_dx blur1_min blur1_max q1"
        lines = "".join(f"per_frame_{n}={name}={value};\n" for n, name in enumerate(names.split(), 1))
        pixel = "".join(f"per_pixel_{n}={name}={value};\n" for n, name in enumerate("zoom rot cx dx sx warp".split(), 1))
        yield f"every value {word}", code(lines + pixel), OK
        figure = "x y rad ang r g b a r2 a2 border_a tex_zoom tex_ang sides num_inst thickoutline".split()
        lines = shape + "".join(f"shape_0_per_frame{n}={name}={value};\n" for n, name in enumerate(figure, 1))
        lines += wave + "".join(f"wave_0_per_point{n}={name}={value};\n" for n, name in enumerate("xyrgba", 1))
        yield f"every shape and wave value {word}", code(lines), OK
    for word, value in (("nan", "nan"), ("inf", "inf"), ("1e999", "1e999"), ("minus", "-2147483649"), ("words", "ten"), ("empty", "")):
        names = "nWaveMode fGammaAdj fDecay fVideoEchoZoom fWaveAlpha fWaveScale fWaveSmoothing fWarpScale zoom rot warp sx"
        names += " nMotionVectorsX nMotionVectorsY mv_l ob_size ib_size b1n b1x b1ed wavecode_0_enabled wavecode_0_samples"
        names += " wavecode_0_sep wavecode_0_scaling shapecode_0_enabled shapecode_0_sides shapecode_0_num_inst shapecode_0_rad"
        yield f"parameters {word}", (HEAD + ALIVE + "".join(f"{name}={value}\n" for name in names.split())).encode(), OK
    big = "".join(
        f"shapecode_{n}_enabled=1\nshapecode_{n}_sides=100\nshapecode_{n}_num_inst=1024\nshapecode_{n}_textured=1\n"
        f"shapecode_{n}_rad=3\nshapecode_{n}_a=0.01\nwavecode_{n}_enabled=1\nwavecode_{n}_samples=512\n"
        f"wave_{n}_per_point1=x=rand(100)*0.01; y=rand(100)*0.01; q{n + 1}=sin(x)*cos(y);\n"
        for n in range(16)
    )
    yield "crowd of shapes and points", code(big), SLOW
    yield "a billion motion vectors", code("nMotionVectorsX=1000000000\nnMotionVectorsY=1000000000\nmv_l=1e9\nmv_a=1\n"), OK


def shaders():
    yield "endless shader", shader("shader_body\n{\nfloat a=0;\nwhile(1>0)\n{\na+=0.001;\n}\nret=a;\n}"), SLOW
    nest = "shader_body\n{\nfloat3 a=0;\nfor(int i=0;i<4000;i++)\nfor(int j=0;j<4000;j++)\na+=tex2D(sampler_main,uv+a.xy).xyz;\nret=a;\n}"
    yield "shader of sixteen million lookups", shader(nest), SLOW
    yield "endless warp shader", shader("shader_body\n{\nfloat a=0;\nfor(;;)\n{\na+=0.001;\n}\nret=a;\n}", "warp"), SLOW
    unroll = "shader_body\n{\nfloat3 a=0;\n[unroll] for(int i=0;i<1000000000;i++)\na+=tex2D(sampler_main,uv*i).xyz;\nret=a;\n}"
    yield "shader unrolled a billion times", shader(unroll), SLOW
    long = "shader_body\n{\n" + "".join(f"ret+=tex2D(sampler_main,uv*{n}).xyz;\n" for n in range(3000)) + "}"
    yield "shader of three thousand lookups", shader(long), broken("shader")
    straight = "shader_body\n{\nfloat3 a=0;\n" + "".join(f"a=sin(a*{n}.5+uv.xyx);\n" for n in range(4000)) + "ret=a;\n}"
    yield "shader of four thousand lines", shader(straight), {"safety": ["ok", "hang", "memory"]}
    yield "function that calls itself", shader("float f(float x)\n{\nreturn f(x+1);\n}\nshader_body\n{\nret=f(uv.x);\n}"), broken("shader")
    two = "float g(float x);\nfloat f(float x)\n{\nreturn g(x);\n}\nfloat g(float x)\n{\nreturn f(x);\n}\nshader_body\n{\nret=f(1);\n}"
    yield "functions that call each other", shader(two), broken("shader")
    yield "deep shader", shader("shader_body\n{\nret=" + "(" * 5000 + "1" + ")" * 5000 + ";\n}"), broken("shader")
    yield "deep blocks in a shader", shader("shader_body\n" + "{" * 5000 + "ret=1;" + "}" * 5000), broken("shader")
    yield "deep choices in a shader", shader("shader_body\n{\nret=" + "uv.x>0.5?" * 3000 + "1" + ":0" * 3000 + ";\n}"), broken("shader")
    yield "wide array", shader("float big[100000000];\nshader_body\n{\nret=big[3];\n}"), broken("shader")
    bomb = "#define A0 1+1\n" + "".join(f"#define A{n} A{n - 1}+A{n - 1}\n" for n in range(1, 40))
    yield "macro bomb", shader(bomb + "shader_body\n{\nret=A39;\n}"), broken("shader")
    yield "macro that contains itself", shader("#define A A+A\nshader_body\n{\nret=A;\n}"), broken("shader")
    yield "include", shader('#include "/etc/passwd"\nshader_body\n{\nret=1;\n}'), {"safety": ["ok"]}
    yield "comment left open", shader("shader_body\n{\nret=1; /* \n}"), broken("shader")
    yield "braces left open", shader("shader_body\n{{{{\nret=1;\n"), broken("shader")
    yield "no body", shader("float3 a;\n"), broken("shader")
    yield "shader of noise", shader("".join(chr(33 + n * 7 % 90) for n in range(5000)).replace("`", "'")), broken("shader")
    yield "shader of half a megabyte", shader("shader_body\n{\n// " + "x" * 500000 + "\nret=1;\n}"), broken("shader")
    yield "shader of nan", shader("shader_body\n{\nret=tex2D(sampler_main,uv/0).xyz+0.0/0.0+log(-1)+pow(-1,0.5);\n}"), {"safety": ["ok"]}
    many = "".join(f"sampler sampler_none{n};\n" for n in range(40)) + "shader_body\n{\nret=0;\n"
    many += "".join(f"ret+=tex2D(sampler_none{n},uv).xyz;\n" for n in range(40)) + "}"
    yield "forty images", shader(many), broken("shader")
    yield "unknown types", shader("float9x9 m;\nshader_body\n{\nret=m[0]*float17(1);\n}"), broken("shader")


def pictures():
    plain = "fDecay=0\nfWaveAlpha=0\nnMotionVectorsX=0\nmv_a=0\nob_size=0\nib_size=0\n"

    def picture(body):
        lines = ["shader_body", "{", body, "}"]
        return (HEAD + plain + "".join(f"comp_{n}=`{line}\n" for n, line in enumerate(lines, 1))).encode()

    yield "black", ("[preset00]\n" + plain).encode(), {"safety": ["ok"], "look": ["black"], "flash": ["pass"]}
    yield "white", picture("ret=1;"), {"safety": ["ok"], "look": ["white"], "flash": ["pass"]}
    yield "frozen", picture("ret=float3(uv,0.5);"), {"safety": ["ok"], "look": ["frozen"], "flash": ["pass"]}
    yield "dark", picture("ret=0.02+0.01*sin(time*9);"), {"safety": ["ok"], "look": ["too-dark"], "flash": ["pass"]}
    yield "strobe", picture("ret=step(0.5,frac(time*7.5));"), {"safety": ["ok"], "flash": ["fail"]}
    yield "fast strobe", picture("ret=step(0.5,frac(time*15+0.1));"), {"safety": ["ok"], "flash": ["fail"]}
    yield "red strobe", picture("ret=float3(step(0.5,frac(time*5)),0,0);"), {"safety": ["ok"], "flash": ["fail"]}
    # Two flashes per second, and an alternating fine pattern: both are harmless.
    yield "slow strobe", picture("ret=step(0.5,frac(time*2));"), {"safety": ["ok"], "flash": ["pass"]}
    fine = "float2 p=floor(uv*texsize.xy); ret=frac((p.x+p.y)*0.5+0.5*step(0.5,frac(time*7.5)))*2;"
    yield "fine pattern", picture(fine), {"safety": ["ok"], "flash": ["pass"]}
    image = "sampler sampler_{0};\nshader_body\n{{\nret=tex2D(sampler_{0},uv+time*0.01).xyz;\n}}"
    yield "missing image", shader(image.format("nowhere_at_all")), {"safety": ["ok"], "missing": "nowhere_at_all"}
    for name in ("hostile_wide", "hostile_bomb", "hostile_short", "hostile_empty", "hostile_lies"):
        yield f"image {name}", shader(image.format(name)), {"safety": ["ok"], "missing": name}
    yield "image hostile_fine", shader(image.format("hostile_fine")), {"safety": ["ok"], "missing": None}


def png(width, height, rows, compressed=None):
    def part(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = compressed if compressed is not None else zlib.compress(rows)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", body) + part(b"IEND", b"")


def flat_png(width, height):
    packer = zlib.compressobj(9)
    row = b"\0" + b"\x40\x80\xc0" * width
    parts = [packer.compress(row) for _ in range(height)]
    return png(width, height, b"", b"".join(parts) + packer.flush())


def textures(folder):
    os.makedirs(folder, exist_ok=True)
    fine = b"".join(b"\0" + b"".join(bytes((x * 4, y * 4, 128)) for x in range(64)) for y in range(64))
    files = {
        "hostile_fine.png": png(64, 64, fine),
        "hostile_wide.png": png(2000000000, 2000000000, b"\0"),
        "hostile_bomb.png": flat_png(20000, 20000),
        "hostile_short.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1",
        "hostile_empty.png": b"",
        "hostile_lies.bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 1 << 30, 0, 0, 54, 40, 30000, 30000, 1, 24, 0, 0, 0, 0, 0, 0),
    }
    for name, content in files.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)


def files():
    good = code("per_frame_1=zoom=1+0.01*sin(time);")
    yield "empty", b"", {"safety": ["ok", "refused"]}
    yield "one byte", b"x", {"safety": ["ok", "refused"]}
    yield "only line ends", b"\r\n" * 5000, {"safety": ["ok", "refused"]}
    yield "only nul", b"\0" * 50000, {"safety": ["ok", "refused"]}
    noise = random.Random(7).randbytes(60000)
    yield "noise", noise, {"safety": ["ok", "refused"]}
    yield "noise with a head", b"[preset00]\n" + noise, {"safety": ["ok", "refused"]}
    yield "noise in the code", code("per_frame_1=") + noise[:9000].replace(b"\n", b""), {"safety": ["ok", "refused"]}
    yield "no line end at the end", good.rstrip(b"\n"), OK
    yield "carriage returns", good.replace(b"\n", b"\r"), {"safety": ["ok", "refused"]}
    yield "utf-16", b"\xff\xfe" + good.decode().encode("utf-16-le"), {"safety": ["ok", "refused"]}
    yield "utf-16 big", b"\xfe\xff" + good.decode().encode("utf-16-be"), {"safety": ["ok", "refused"]}
    yield "utf-8 mark", b"\xef\xbb\xbf" + good, OK
    yield "latin-1", good + b"// \xe9\xe8\xfc\xdf\n", OK
    yield "program", b"\x7fELF" + noise[:5000], {"safety": ["ok", "refused"]}
    yield "picture", png(4, 4, b"\0" + b"abc" * 4), {"safety": ["ok", "refused"]}
    yield "just a mebibyte", good + b"//" + b"x" * ((1 << 20) - len(good) - 3) + b"\n", OK
    yield "a byte too many", good + b"//" + b"x" * ((1 << 20) - len(good) - 2) + b"\n", EXCLUDED
    yield "fifty megabytes", b"a=1\n" * (50 << 18), EXCLUDED
    yield "many sections", b"[preset00]\n" * 60000, {"safety": ["ok", "refused"]}
    yield "a line of a megabyte", HEAD.encode() + b"per_frame_1=" + b"x" * 1000000, {"safety": ["ok", "refused"]}


def doubles():
    good = code("per_frame_1=zoom=1+0.01*sin(time);").decode()
    yield "double of nothing", b"[PRESET1_BEGIN]\n[PRESET1_END]\n[PRESET2_BEGIN]\n", {"safety": ["ok", "refused"]}
    yield "double in itself", (good + "[PRESET1_BEGIN]\n" * 9000 + good).encode(), {"safety": ["ok", "refused"]}


def make(args):
    library, hostile = os.path.join(args.out, "library"), os.path.join(args.out, "library", "hostile")
    good = os.path.join(library, "good")
    for folder in (hostile, good):
        os.makedirs(folder, exist_ok=True)
    expected = {}
    for group in (codes(), shaders(), pictures(), files(), doubles()):
        for name, content, verdict in group:
            name += ".milk2" if name.startswith("double") else ".milk"
            with open(os.path.join(hostile, name), "wb") as file:
                file.write(content)
            expected["hostile/" + name] = verdict
    odd(hostile, expected)
    textures(os.path.join(args.out, "textures"))
    sources = []
    for root, folders, names in os.walk(args.good):
        folders.sort()
        sources += [os.path.join(root, name) for name in sorted(names) if name.lower().endswith(".milk")]
    random.Random(args.seed).shuffle(sources)
    for number, path in enumerate(sources[: args.count]):
        shutil.copyfile(path, os.path.join(good, f"{number:03d} {os.path.basename(path)}"))
    with open(os.path.join(args.out, "expected.json"), "w") as file:
        json.dump(expected, file, indent=1)
    print(f"{len(expected)} hostile files, {min(args.count, len(sources))} good ones")


def odd(hostile, expected):
    """Adds special files with preset names, and files with unusual names."""
    good = code("per_frame_1=zoom=1+0.02*sin(time*2);")
    place = lambda name: os.path.join(os.fsencode(hostile), name if isinstance(name, bytes) else os.fsencode(name))
    for number, name in enumerate((b"\xff\xfe\x80.milk", b"a\nb.milk", b"<b>&amp;'\".milk", b"n" * 250 + b".milk", b"-rf.milk")):
        with open(place(name), "wb") as file:
            file.write(good + b"// %d\n" % number)
        expected["hostile/" + name.decode("utf-8", "replace")] = OK
    for name, target in (("to nowhere.milk", "nowhere"), ("to zero.milk", "/dev/zero"), ("to itself.milk", "to itself.milk")):
        if not os.path.lexists(place(name)):
            os.symlink(target, place(name))
        expected["hostile/" + name] = EXCLUDED
    for name, target in (("circle", "."), ("up", "..")):
        if not os.path.lexists(place(name)):
            os.symlink(target, place(name))
    if not os.path.exists(place("pipe.milk")):
        os.mkfifo(place("pipe.milk"))
    if not os.path.exists(place("socket.milk")):
        here = os.getcwd()
        os.chdir(hostile)
        socket.socket(socket.AF_UNIX).bind("socket.milk")
        os.chdir(here)
    os.makedirs(place("folder.milk"), exist_ok=True)
    with open(place("hole of two gibibytes.milk"), "wb") as file:
        file.truncate(2 << 30)
    with open(place("unreadable.milk"), "wb") as file:
        file.write(good + b"// unreadable\n")
    os.chmod(place("unreadable.milk"), 0)
    os.makedirs(place("closed"), exist_ok=True)
    os.chmod(place("closed"), 0)
    for name in ("pipe.milk", "socket.milk", "hole of two gibibytes.milk"):
        expected["hostile/" + name] = EXCLUDED
    # Readable when running as root.
    expected["hostile/unreadable.milk"] = OK if os.access(place("unreadable.milk"), os.R_OK) else EXCLUDED


def entries(audit):
    with open(os.path.join(audit, "preset-audit.json")) as file:
        return {entry["relPath"]: entry for entry in json.load(file)["entries"]}


def mismatch(entry, expected):
    """Returns how the verdict differs from the expected one, or None."""
    if expected.get("excluded"):
        return None if entry is None else "not excluded"
    if entry is None or not entry.get("quality"):
        return "no verdict"
    verdict = entry["verdict"]
    safety, parts = verdict["safety"], " | ".join(verdict["completeness"]["brokenParts"])
    missing = verdict["completeness"]["missingTextures"]
    if safety not in expected["safety"]:
        return f"safety {safety}: {verdict['reasons']}"
    if safety != "ok":
        return None
    if "broken" in expected and expected["broken"] not in parts:
        return f"not among the broken parts: {parts!r}"
    if "missing" in expected and (expected["missing"] is None) != (missing == []):
        return f"missing: {missing}"
    if "missing" in expected and expected["missing"] and expected["missing"] not in missing:
        return f"missing: {missing}"
    if "look" in expected and verdict["look"] not in expected["look"]:
        return f"look {verdict['look']}"
    if "flash" in expected and verdict["flash"]["verdict"] not in expected["flash"]:
        return f"flash {verdict['flash']}"
    return None


def check(args):
    with open(os.path.join(args.out, "expected.json")) as file:
        expected = json.load(file)
    audit = entries(args.audit)
    wrong = [(name, why) for name, verdict in sorted(expected.items()) if (why := mismatch(audit.get(name), verdict))]
    good = {name: entry for name, entry in audit.items() if name.startswith("good/")}
    without = [name for name, entry in good.items() if not entry.get("quality")]
    unknown = [name for name in audit if name.startswith("hostile/") and name not in expected]
    wrong += [(name, "no verdict") for name in without] + [(name, "unexpected file") for name in unknown]
    if args.alone:
        alone = entries(args.alone)
        for name, entry in good.items():
            other = alone.get(name[len("good/") :])
            parts = ("safety", "completeness", "metrics", "likeness", "flash")
            differ = [part for part in parts if other is None or entry["verdict"][part] != other["verdict"][part]]
            if differ:
                wrong.append((name, f"alone, it differs in {', '.join(differ)}"))
    for name, why in wrong:
        print(f"{name!r}: {why}")
    print(f"{len(expected)} hostile files and {len(good)} good ones, {len(wrong)} wrong")
    sys.exit(bool(wrong))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = arguments.add_subparsers(required=True)
    maker = commands.add_parser("make")
    maker.add_argument("out")
    maker.add_argument("--good", required=True)
    maker.add_argument("--count", type=int, default=500)
    maker.add_argument("--seed", type=int, default=1)
    maker.set_defaults(run=make)
    checker = commands.add_parser("check")
    checker.add_argument("out")
    checker.add_argument("audit")
    checker.add_argument("alone", nargs="?")
    checker.set_defaults(run=check)
    args = arguments.parse_args()
    args.run(args)


main()
