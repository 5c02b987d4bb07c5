import collections
from tests.rules import oracle
C=collections.Counter(); orig=oracle.Oracle.read
def read(self, e, now):
    k=e["type"]
    if k=="decision.refused": k+=":"+e["data"]["why"]
    if k.startswith("step"): 
        early = now < self.cases[e["case"]].due[e["data"]["step"]]
        k+=":"+e["data"]["action"]+":"+e["data"].get("why","")+(":EARLY" if early else "")
    if k=="request.refused": k+=":"+e["data"]["reason_code"]
    C[k]+=1
    return orig(self,e,now)
oracle.Oracle.read=read
import atexit
@atexit.register
def p():
    for k,v in sorted(C.items()): print(v,k)
